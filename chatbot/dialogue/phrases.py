"""What the bot says in its own name, in each language it speaks; anything else falls back to English."""

from __future__ import annotations

PHRASES: dict[str, dict[str, str]] = {
    "en": {
        "greeting": "Hello! How can I help?",
        "thanks": "You're welcome! Is there anything else?",
        "goodbye": "Goodbye, and thank you for writing to us.",
        "about_bot": "I'm an automatic assistant, not a person. Ask me about our service, "
        "or would you rather talk to a colleague?",
        "bot_praised": "Thank you, that's kind! Is there anything else?",
        "bot_blamed": "I'm sorry that I was no help. Could you put it in other words, "
        "or shall I pass you on to a colleague?",
        "languages": "You can write to me in English or in Chinese. What would you like to know?",
        "go_on": "Yes, please go on. What would you like to know?",
        "declined": "All right, I'm still here. What would you like to know?",
        "nothing_else": "All right. If there is anything else, just ask.",
        "not_meant": "Then please put it in other words, or shall I pass you on to a colleague?",
        "person": "I'll pass you on to a colleague. They can read what you wrote here.",
        "unknown": "I'm not sure I know the answer to that. Could you put it in other words, "
        "or shall I pass you on to a colleague?",
        "unknown_again": "I don't have a reliable answer to this, so I'd rather not guess. "
        "A colleague can help: shall I pass you on?",
        "unknown_code": "I have nothing on this code. Please check whether it is written like this, "
        "or shall I pass you on to a colleague?",
        "asked_again": "It seems my answer did not help. Shall I pass you on to a colleague?",
        "as_said": "As said: ",
        "said_besides": "Also in that answer:",
        "unreadable": "Sorry, I could not read that. Please write your question in English or Chinese.",
        "too_long": "That is a long text. What would you like to know? Please put it in one or two sentences, "
        "or shall I pass you on to a colleague?",
        "others_data": "I can't share other customers' data. If it is about an order of your own, tell me what you "
        "need, or shall I pass you on to a colleague?",
        "card_number": "Please never send card numbers here.",
        "sorry_1": "I'm sorry that this has been so frustrating.",
        "sorry_2": "I understand that you are upset, and I apologise.",
        "sorry_legal_1": "I'm sorry that it has come to this. A colleague can look into it with you.",
        "sorry_legal_2": "I take this seriously and I'm sorry. A colleague can settle it with you directly.",
        "choices": "Did you mean one of these?",
        "choice": "Did you mean “{title}”?",
        "more_requests": "That was a lot at once, and there is more in it. Tap it below, or ask it again:",
        "files": "I have your file, but I cannot read files myself. What would you like to know? "
        "Or a colleague can look at it.",
        "talk_to_person": "Talk to a person",
        "try_again": "Try again",
        "ask_order": "Which order is it about? Please tell me the order number.",
        "ask_email": "Which e-mail address is it about?",
        "ask_phone": "Which telephone number is it about?",
        "ask_date": "Which date is it about?",
        "ask_amount": "Which amount is it about?",
        "ask_pattern": "Which number is it about?",
        "ask_text": "Please tell me the details.",
        "ask_proof_email": "So that nobody else sees your order: which e-mail address was it placed with?",
        "ask_proof_postcode": "So that nobody else sees your order: which postcode is it delivered to?",
        "ask_proof_email_or_postcode": "So that nobody else sees your order: which e-mail address was it placed with, "
        "or which postcode is it delivered to?",
        "action_unread": "Sorry, that is not quite what I need here. ",
        "action_noted": "Thank you, I have noted that. ",
        "action_instead": "I am not sure what it should be instead. ",
        "action_back": "Back to your other request: ",
        "help_order": "The order number is in the confirmation e-mail that came after you ordered. "
        "If you cannot find it, tell me so, and a colleague will help. ",
        "help_email": "It is the address that you gave when you ordered. "
        "If you do not know it, tell me so, and a colleague will help. ",
        "help_phone": "It is the number that you gave when you ordered. "
        "If you do not know it, tell me so, and a colleague will help. ",
        "help_proof": "I ask so that nobody but you can see or change your order: it is what you gave when you "
        "ordered, and it is in the confirmation e-mail. If you do not have it, tell me so, and a colleague will help. ",
        "help_text": "I pass it on with your request, just as you write it. "
        "If you do not know it, tell me so, and a colleague will help. ",
        "help_other": "I need this to go on with your request. If you do not have it, tell me so, "
        "and a colleague will help. ",
        "action_dropped": "All right, I leave it as it is. Is there anything else?",
        "action_sign_in": "I can only do this for customers who are signed in. Please sign in and ask me again, "
        "or shall I pass you on to a colleague?",
        "action_not_found": "I could not find anything with these details. Please check them and send them once more.",
        "action_failed": "I cannot reach the system that knows this just now. Please try again in a moment, "
        "or shall I pass you on to a colleague?",
        "action_person": "I could not settle this myself. I'll pass you on to a colleague, who can read all of it.",
        "action_person_others": " They take care of this as well: ",
        "action_waits": "I'll come to your other request right after that.",
        "action_next": "Now to your other request: ",
        "action_more": "For these, please send me the number once more: {orders}",
        "about_order": "What would you like to know about this order?",
        "order_else": "If you would like to know something else about this order, just ask.",
    },
    "zh": {
        "greeting": "您好！有什么可以帮您？",
        "thanks": "不客气！还有其他可以帮您的吗？",
        "goodbye": "感谢您的咨询，再见！",
        "about_bot": "我是自动客服助手，不是真人。您可以直接问我，需要的话也可以帮您转人工客服，要转吗？",
        "bot_praised": "谢谢夸奖！还有其他可以帮您的吗？",
        "bot_blamed": "很抱歉没能帮到您。您可以换个说法，或者需要帮您转人工客服吗？",
        "languages": "您可以用中文或英文和我交流。请问想了解什么？",
        "go_on": "您请说，想了解什么？",
        "declined": "好的，那由我继续为您解答。您想了解什么？",
        "nothing_else": "好的，如果还有其他问题，随时问我。",
        "not_meant": "那请您换个说法，或者需要帮您转人工客服吗？",
        "person": "好的，我帮您转接人工客服，同事能看到您刚才写的内容。",
        "unknown": "这个问题我没有把握。您可以换个说法，或者我帮您转人工客服？",
        "unknown_again": "这个问题我没有可靠的答案，不想乱猜。需要帮您转人工客服吗？",
        "unknown_code": "我这里没有关于这个代码的说明。请核对一下是否这样写，或者我帮您转人工客服？",
        "asked_again": "看来我的回答没能帮到您。需要帮您转人工客服吗？",
        "as_said": "前面提到过：",
        "said_besides": "前面还提到：",
        "unreadable": "抱歉，我没看懂。请用中文或英文描述您的问题。",
        "too_long": "这段文字比较长。请用一两句话告诉我您想问什么，或者我帮您转人工客服？",
        "others_data": "我不能提供其他客户的信息。如果是您自己的订单，请告诉我您需要什么，或者我帮您转人工客服？",
        "card_number": "请不要在这里发送银行卡号。",
        "sorry_1": "非常抱歉，给您带来了这么不好的体验。",
        "sorry_2": "我理解您的心情，真的很抱歉。",
        "sorry_legal_1": "很抱歉事情到了这一步，同事可以和您一起处理。",
        "sorry_legal_2": "我们很重视这件事，非常抱歉。同事可以直接为您解决。",
        "choices": "您是想问下面哪一个？",
        "choice": "您是想问“{title}”吗？",
        "more_requests": "您一次问了好几件事，还有没回答的。请点下面的问题，或再问一次：",
        "files": "文件已收到，不过我还不能读取文件内容。请告诉我您想了解什么，或者由人工客服来查看。",
        "talk_to_person": "转人工客服",
        "try_again": "再试一次",
        "ask_order": "请问是哪一个订单？请告诉我订单号。",
        "ask_email": "请问是哪个邮箱地址？",
        "ask_phone": "请问是哪个电话号码？",
        "ask_date": "请问是哪一天？",
        "ask_amount": "请问是多少金额？",
        "ask_pattern": "请问是哪个号码？",
        "ask_text": "请告诉我具体内容。",
        "ask_proof_email": "为了保护您的订单信息，请告诉我下单时使用的邮箱。",
        "ask_proof_postcode": "为了保护您的订单信息，请告诉我收货地址的邮政编码。",
        "ask_proof_email_or_postcode": "为了保护您的订单信息，请告诉我下单时使用的邮箱，或收货地址的邮政编码。",
        "action_unread": "抱歉，这还不是我需要的信息。",
        "action_noted": "好的，已记下。",
        "action_instead": "我不确定应该改成什么。",
        "action_back": "回到您刚才的另一个请求：",
        "help_order": "订单号在您下单后收到的确认邮件里。如果找不到，请告诉我，同事会来帮您。",
        "help_email": "就是您下单时填写的邮箱。如果不清楚，请告诉我，同事会来帮您。",
        "help_phone": "就是您下单时填写的电话号码。如果不清楚，请告诉我，同事会来帮您。",
        "help_proof": "这样只有您本人能查看或修改您的订单：它是您下单时填写的信息，确认邮件里也有。"
        "如果没有，请告诉我，同事会来帮您。",
        "help_text": "我会按您写的内容随请求一起提交。如果不清楚，请告诉我，同事会来帮您。",
        "help_other": "我需要这项信息才能继续处理。如果没有，请告诉我，同事会来帮您。",
        "action_dropped": "好的，那就不改动了。还有其他可以帮您的吗？",
        "action_sign_in": "这项操作只对已登录的客户开放。请先登录再来问我，或者需要帮您转人工客服吗？",
        "action_not_found": "用这些信息没有查到结果。请核对后再发一次。",
        "action_failed": "暂时连不上查询系统。请稍后再试，或者需要帮您转人工客服吗？",
        "action_person": "这件事我没能处理好，帮您转接人工客服，同事能看到您刚才写的内容。",
        "action_person_others": "以下请求也会一并处理：",
        "action_waits": "您的另一个请求，我随后马上处理。",
        "action_next": "接下来处理您的另一个请求：",
        "action_more": "其余的订单，请再发一次订单号：{orders}",
        "about_order": "关于这个订单，您想了解什么？",
        "order_else": "如果想了解这个订单的其他情况，直接问我就好。",
    },
}


def phrase(name: str, lang: str) -> str:
    """The phrase ``name`` in ``lang``. Raises KeyError for a name that does not exist."""
    return PHRASES.get(lang, PHRASES["en"])[name]
