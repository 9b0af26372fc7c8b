/** Entry of mm-push.js: subscribing this browser to notifications. */

export { subscribe } from "./subscribe";
