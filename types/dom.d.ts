// What this page's document has: which element an id stands for, and what its queries find.

interface Elements {
  "login-form": HTMLFormElement;
  "login-name": HTMLInputElement;
  "login-enter": HTMLButtonElement;
  "say-form": HTMLFormElement;
  "say-text": HTMLTextAreaElement & { form: HTMLFormElement };
  now: HTMLButtonElement;
}

interface Document {
  getElementById<T extends keyof Elements>(id: T): Elements[T];
}

interface ParentNode {
  querySelector(selectors: "link[rel=icon]"): HTMLLinkElement;
  querySelector(selectors: "#row-message"): { content: { firstElementChild: { cloneNode(deep: true): any } } };
  querySelector(selectors: string): HTMLElement | null;
  querySelectorAll(selectors: string): NodeListOf<HTMLElement>;
}

/** The listeners of the page look at elements only. */
interface EventTarget {
  closest(selectors: string): any;
}

interface Window {
  BESEDKA_FILES: string[];
}
