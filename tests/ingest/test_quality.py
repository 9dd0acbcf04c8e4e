import pytest

from ingest.quality import RULES, asks_for_something, core_of, turn_fault


@pytest.mark.parametrize(
    "text",
    [
        "One moment please.",
        "Let me check that for you.",
        "Sure, one moment please, I'm checking",
        "Hello [NAME], please hold on while I check your order",
        "Thank you for your patience!",
        "好的，请稍等",
        "还请您稍等，正在为您查询~",
        "久等了",
    ],
)
def test_a_hold_is_recognised(text):
    assert turn_fault("agent", text) == "hold"


@pytest.mark.parametrize(
    "text",
    [
        "I'll transfer you to our billing department.",
        "I am connecting you with a colleague",
        "我帮您转接售后专员",
    ],
)
def test_a_transfer_is_recognised(text):
    assert turn_fault("agent", text) == "transfer"


@pytest.mark.parametrize(
    "text",
    [
        "This is an automated message: we have received your request.",
        "Sophie has joined the chat",
        "Please rate this conversation",
        "您好，我是智能客服小美",
        "请您对本次服务进行评价",
    ],
)
def test_a_machine_s_line_is_recognised(text):
    assert turn_fault("agent", text) == "automatic"


@pytest.mark.parametrize(
    "text",
    [
        "Let me check: it was sent on Monday.",
        "Thanks for waiting! Your refund is on its way.",
        "Please wait 2 hours before you use it again.",
        "You can transfer points to another account in the app.",
        "Please check your spam folder.",
        "请稍等30分钟再开机",
        "已经帮您处理退款了，三天内到账",
        "Hello! How can I help you?",
    ],
)
def test_an_answer_stays(text):
    assert turn_fault("agent", text) is None


def test_turns_without_words_too_long_or_unreadable_are_left_out():
    assert turn_fault("customer", "👍👍 !!") == "empty"
    assert turn_fault("customer", "x " * 3000) == "too_long"
    assert turn_fault("customer", "\ufffd\ufffd\ufffd abc") == "unreadable"
    assert turn_fault("bot", "Hi!") == "automatic"
    assert turn_fault("customer", "[ORDER]") is None


def test_every_fault_has_its_explanation():
    assert {"empty", "too_long", "unreadable", "automatic", "hold", "transfer"} <= RULES.keys()


@pytest.mark.parametrize(
    "text",
    [
        "Hello",
        "Hi, can you help me?",
        "I have a question",
        "你好，在吗，我想咨询一下",
        "thanks!",
        "好的，谢谢",
        "yes",
        "[ORDER]",
    ],
)
def test_mere_politeness_asks_for_nothing(text):
    assert not asks_for_something(text)


@pytest.mark.parametrize(
    "text",
    [
        "I have a question about my order",
        "refund?",
        "人工客服",
        "地址可以帮我修改下吗",
        "Hello, it leaks",
        "退款",
    ],
)
def test_more_than_politeness_asks_for_something(text):
    assert asks_for_something(text)


def test_the_core_of_a_message_leaves_greeting_and_values_away():
    assert (
        core_of("Hi! Where is my order [ORDER]?")
        == core_of("where is my order [ORDER_2]")
        == "where is my order"
    )
