// Two soft tones for a new message, made here: no recording to load. Fetched when the visitor wants it.

let context = null;

export function chime() {
  try {
    context ||= new AudioContext();
    const now = context.currentTime;
    [660, 880].forEach((pitch, at) => {
      const tone = context.createOscillator();
      const volume = context.createGain();
      tone.frequency.value = pitch;
      volume.gain.setValueAtTime(0.0001, now + at * 0.12);
      volume.gain.exponentialRampToValueAtTime(0.08, now + at * 0.12 + 0.02);
      volume.gain.exponentialRampToValueAtTime(0.0001, now + at * 0.12 + 0.25);
      tone.connect(volume).connect(context.destination);
      tone.start(now + at * 0.12);
      tone.stop(now + at * 0.12 + 0.3);
    });
  } catch { /* a browser without sound */ }
}
