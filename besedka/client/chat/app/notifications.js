// Notifications outside of the page: system notifications, a sound, badges.

const TEXT_CHARACTERS = 200;
const shown = new Map();
const icon = document.querySelector("link[rel=icon]");
const plain = icon?.href;
let picture = null;
let audio = null;

/** One notification for a room; the next one replaces it. */
export async function show(title, text, room, onClick) {
  const options = { body: text.slice(0, TEXT_CHARACTERS), icon: plain, tag: `besedka ${room}`, renotify: true };
  shown.get(room)?.close();
  try {
    const notification = new Notification(title, { ...options, silent: true });
    shown.set(room, notification);
    notification.onclick = () => {
      focus();
      onClick();
      notification.close();
    };
  } catch {
    // On phones only a service worker may notify.
    const worker = await navigator.serviceWorker?.getRegistration();
    await worker?.showNotification(title, { ...options, data: { hash: `#${encodeURIComponent(room)}` } });
  }
}

/** Two soft tones. */
export function beep() {
  audio ??= new AudioContext();
  [660, 880].forEach((frequency, index) => {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    const begin = audio.currentTime + index * 0.12;
    tone.frequency.value = frequency;
    volume.gain.setValueAtTime(0, begin);
    volume.gain.linearRampToValueAtTime(0.1, begin + 0.02);
    volume.gain.linearRampToValueAtTime(0, begin + 0.2);
    tone.connect(volume).connect(audio.destination);
    tone.start(begin);
    tone.stop(begin + 0.2);
  });
}

/** Marks the icons with the numbers of unread rooms and of mentions. */
export async function mark(rooms, mentions) {
  if (mentions) navigator.setAppBadge?.(mentions)?.catch(() => {});
  else if (rooms) navigator.setAppBadge?.()?.catch(() => {});
  else navigator.clearAppBadge?.()?.catch(() => {});
  if (!icon) return;
  picture ??= fetch(plain).then((answer) => answer.text());
  const dot = `<circle cx="49" cy="15" r="15" fill="${mentions ? "#c8372d" : "#e0a43a"}"/></svg>`;
  const marked = `data:image/svg+xml,${encodeURIComponent((await picture).replace(/<\/svg>\s*$/, dot))}`;
  icon.href = rooms ? marked : plain;
}
