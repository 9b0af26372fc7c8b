import { setImmediate as immediate } from "node:timers/promises";

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
export class FakeStream {
  static opened: FakeStream[] = [];
  /** What the collector answers the next streams with. */
  static status = 200;
  readonly authorization: string | null;
  isClosed = false;
  private lines!: ReadableStreamDefaultController<Uint8Array>;
  private readonly body = new ReadableStream<Uint8Array>({ start: (lines) => void (this.lines = lines) });

  constructor(
    readonly url: string,
    { headers, signal }: RequestInit,
  ) {
    this.authorization = new Headers(headers).get("Authorization");
    signal?.addEventListener("abort", () => this.close());
    FakeStream.opened.push(this);
  }

  static open(): FakeStream[] {
    return FakeStream.opened.filter(({ isClosed }) => !isClosed);
  }

  get response(): Response {
    if (FakeStream.status !== 200) this.close();
    return new Response(this.body, { status: FakeStream.status });
  }

  /** Sends a banner, and waits until the page has read it. */
  send(banner: unknown): Promise<void> {
    return this.write(`id: m\r\nevent: banner\r\ndata: ${JSON.stringify(banner)}\r\n\r\n`);
  }

  async write(...parts: string[]): Promise<void> {
    for (const part of parts) {
      this.lines.enqueue(new TextEncoder().encode(part));
      await immediate();
    }
  }

  /** The line breaks, or comes to its end. */
  close(): void {
    if (!this.isClosed) this.lines.close();
    this.isClosed = true;
  }
}
