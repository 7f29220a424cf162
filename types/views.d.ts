// What the views and the application are given.

/** What the views may ask for. */
interface Actions {
  dispatch(event: PageEvent): void;
  logIn(name: string): void;
  resume(name: string): void;
  /** False: nothing was done with the text. */
  submit(text: string): boolean;
  draft(room: string): string;
  keepDraft(room: string, text: string): void;
  /** Null until the features are there. */
  app(): import("../besedka/client/chat/app/app.js").App;
  fetchFeatures(): Promise<void>;
  /** Opens a view of the features by its name. */
  open(name: string, about?: string): void;
  log: import("../besedka/client/chat/view/log.js").LogView;
}

/** The parts that chat.js puts together. */
interface Parts {
  dispatch(event: PageEvent): void;
  actions: Actions;
  page: { draw(state: State): void; open(name: string, about?: string): void };
  socket: { url: string; protocols(key: string): string[]; wake(): void };
  say(text: string): boolean;
  strings: Strings;
  access: { keyEntry: string; newKeyEntry: string; key(): string; keepKey(key: string): void };
  state(): State;
}

/** The strings of the page in one language. */
type Strings = typeof import("../besedka/client/chat/language/en.js").strings &
  typeof import("../besedka/client/chat/language/en.features.js").features & {
    tag: string;
    locale: string;
    /** Shows a time of day, HH:MM:SS. */
    clock: (time: string) => string;
    refusals: Record<string, (about: any) => string>;
  };
