/** Events as Electron emits them: the first argument can be told not to go on with what comes by default. */
import { EventEmitter } from "node:events";

export interface PreventableEvent {
  preventDefault(): void;
  defaultPrevented: boolean;
}

export function preventable<T extends object>(fields: T): T & PreventableEvent {
  const event = {
    ...fields,
    defaultPrevented: false,
    preventDefault() {
      event.defaultPrevented = true;
    },
  };
  return event;
}

export class ShellEmitter extends EventEmitter {
  /** Emits an event that can be prevented. False when somebody did. */
  ask(name: string, fields: object = {}, ...more: unknown[]): boolean {
    const event = preventable(fields);
    this.emit(name, event, ...more);
    return !event.defaultPrevented;
  }
}
