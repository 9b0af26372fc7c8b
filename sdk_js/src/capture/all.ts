/** Every capture; a page's own word (dataLayer) comes before what is read from its markup. */

import type { Capture } from "./capture";
import { captureClick } from "./click";
import { captureCopy } from "./copy";
import { captureDataLayer } from "./data-layer";
import { captureDeadClick } from "./dead-click";
import { captureDwell } from "./dwell";
import { captureExit } from "./exit";
import { captureForm } from "./form";
import { captureHover } from "./hover";
import { captureMarkup } from "./markup";
import { captureRageClick } from "./rage-click";
import { captureScroll } from "./scroll";
import { captureSearch } from "./search";
import { captureView } from "./view";

export const CAPTURES: readonly Capture[] = [
  captureDataLayer,
  captureView,
  captureSearch,
  captureDwell,
  captureScroll,
  captureHover,
  captureClick,
  captureRageClick,
  captureDeadClick,
  captureForm,
  captureExit,
  captureCopy,
  captureMarkup,
];
