/** What the collector is told of a banner. */

import type { Banner } from "./banner";
import { claim } from "./memory";
import type { Surroundings } from "./surroundings";

type Reporting = Pick<Surroundings, "track">;

/** Tells what became of a banner, and why. */
export function report({ track }: Reporting, banner: Banner, event: string, reason = ""): void {
  const { id, rule, variant } = banner;
  track(event, { message_id: id, rule, variant, channel: "banner", ...(reason && { reason }) });
}

/** Tells why a banner will never be shown; one tab speaks for all of them. */
export function reportFailure(reporting: Reporting, banner: Banner, reason: string): void {
  const tell = () => {
    report(reporting, banner, "message_failed", reason);
    return true;
  };
  claim(banner.id, tell, () => undefined);
}
