/** Entry of mm-banner.js: everything that shows banners. */

export { createBannerQueue } from "./queue";
