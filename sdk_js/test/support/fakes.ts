/** What jsdom lacks: observers that report at once, and a stream that tests send on. */

/** Reports whatever it observes as visible and measured, as soon as it is asked to. */
export class FakeObserver {
  constructor(private report: (entries: { isIntersecting: boolean }[]) => void) {}

  observe(): void {
    queueMicrotask(() => this.report([{ isIntersecting: true }]));
  }

  disconnect(): void {
    this.report = () => undefined;
  }
}

/** Records the streams that were opened; tests play the collector's side. */
export class FakeEventSource extends EventTarget {
  static readonly CLOSED = 2;
  static opened: FakeEventSource[] = [];
  readyState = 1;
  onopen?: () => void;
  onerror?: () => void;

  constructor(readonly url: string) {
    super();
    FakeEventSource.opened.push(this);
  }

  static open(): FakeEventSource[] {
    return FakeEventSource.opened.filter((source) => source.readyState !== FakeEventSource.CLOSED);
  }

  send(banner: unknown): void {
    this.dispatchEvent(new MessageEvent("banner", { data: JSON.stringify(banner) }));
  }

  /** The collector refuses the line for good, as with an error status. */
  refuse(): void {
    this.readyState = FakeEventSource.CLOSED;
    this.onerror?.();
  }

  close(): void {
    this.readyState = FakeEventSource.CLOSED;
  }
}
