// Line drawings, which look the same on every system.

const NAMESPACE = "http://www.w3.org/2000/svg";

export const LINK = "M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1";
export const COPY = "M9 9h11v11H9zM5 15H4V4h11v1";
export const DONE = "m5 12 5 5 9-11";
export const UNREAD = "M3 6h18v12H3zM3 7l9 7 9-7";
export const REMOVE = "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10 11v5M14 11v5";
export const LOCK = "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3";
export const DEVICE = "M7 3h10v18H7zM11 18h2";
export const GUEST = "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM3 20c0-4 3-6 6-6s6 2 6 6M18 8v6M15 11h6";
export const GEAR = "M4 7h10M18 7h2M4 17h2M10 17h10M16 5v4M8 15v4";
export const HELP = "M9 9a3 3 0 1 1 4.2 2.7c-.8.5-1.2 1-1.2 1.8M12 17h.01M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z";
export const CLOSE = "M6 6l12 12M18 6 6 18";

export function icon(path, size = 24) {
  const svg = document.createElementNS(NAMESPACE, "svg");
  const shape = document.createElementNS(NAMESPACE, "path");
  svg.setAttribute("viewBox", `0 0 ${size} ${size}`);
  svg.ariaHidden = "true";
  shape.setAttribute("d", path);
  svg.append(shape);
  return svg;
}

/** A button that shows a drawing, and has an accessible name. */
export function iconButton(path, name) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "quiet icon", title: name, ariaLabel: name });
  button.append(icon(path));
  return button;
}
