// Micromoment for Shopify: paste into Settings -> Customer events -> Add custom pixel, permission "Not required":
// it asks Shopify itself what the visitor allows. `micromoment snippet shopify-pixel` prints it filled in.
// It runs in Shopify's sandbox, without access to the page; nothing else is loaded.

const COLLECTOR = "__COLLECTOR__";
const WRITE_KEY = "__WRITE_KEY__";
// Whether the theme carries our snippet, which then tells of pages, products and searches by itself.
const THEME_TELLS_OF_PAGES = true;

const INACTIVITY_MS = 30 * 60 * 1000;
const WAIT_MS = 250;
const RETRIES_MS = [1000, 5000, 30000, 120000];
const MAX_WAITING = 200;
const MAX_IN_BATCH = 50;
const MAX_ITEMS = 100;

const store = browser.localStorage;
const sandbox = typeof api === "object" ? api : {};
const privacy = typeof customerPrivacy === "object" ? customerPrivacy : sandbox.customerPrivacy;
let isAllowed = init.customerPrivacy ? init.customerPrivacy.analyticsProcessingAllowed === true : true;
const waiting = [];
let work = Promise.resolve();
let timer;

// ---- Who: the id and secret that our snippet keeps, made here when the theme has none ------------------------------

const hexadecimal = (bytes) => [...bytes].map((byte) => (byte + 256).toString(16).slice(1)).join("");

async function browserId(madeAtMs, secret) {
  const time = madeAtMs.toString(16).padStart(12, "0");
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`${time}:${secret}`));
  const digest = hexadecimal(new Uint8Array(hash));
  return `${time.slice(0, 8)}-${time.slice(8)}-8${digest.slice(0, 3)}-8${digest.slice(3, 6)}-${digest.slice(6, 18)}`;
}

async function identity() {
  const [id, secret, userId, userHash] = await Promise.all(
    ["mm_anonymous_id", "mm_secret", "mm_user_id", "mm_user_hash"].map((key) => store.getItem(key)),
  );
  if (id && secret) return { anonymousId: id, secret, userId, userHash };
  const made = hexadecimal(crypto.getRandomValues(new Uint8Array(16)));
  const anonymousId = await browserId(Date.now(), made);
  await store.setItem("mm_secret", made);
  await store.setItem("mm_anonymous_id", anonymousId);
  return { anonymousId, secret: made };
}

async function nextInSession(nowMs, search) {
  let session = parsed(await store.getItem("mm_session"));
  if (!session || nowMs - session.lastMs > INACTIVITY_MS) session = { id: crypto.randomUUID(), seq: 0 };
  session.seq += 1;
  session.lastMs = nowMs;
  session.campaign = campaignOf(search) || session.campaign;
  await store.setItem("mm_session", JSON.stringify(session));
  return session;
}

function campaignOf(search) {
  const tags = new URLSearchParams(search || "");
  const read = (name) => (tags.get(`utm_${name}`) || "").slice(0, 256) || undefined;
  const campaign = { source: read("source"), medium: read("medium"), name: read("campaign") };
  return campaign.source || campaign.name ? campaign : undefined;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

// An answer to our own snippet outweighs Shopify's, and either outweighs what the browser asks for by itself.
async function mayObserve(wasAllowed) {
  const answer = (parsed(await store.getItem("mm_consent")) || {}).analytics;
  if (answer !== undefined) return answer === true && wasAllowed;
  return wasAllowed && navigator.globalPrivacyControl !== true && navigator.doNotTrack !== "1";
}

// ---- What: Shopify's standard events in our vocabulary -------------------------------------------------------------

// Shopify writes an id as a number, as text, or as an address that ends with it.
const idOf = (value) => String(value ?? "").replace(/\?.*$/, "").replace(/^.*\//, "");
const amountOf = (money) => (money && Number.isFinite(Number(money.amount)) ? Number(money.amount) : undefined);
const currencyOf = (money) => (money && money.currencyCode) || undefined;

function itemOf(variant, quantity) {
  const product = (variant && variant.product) || {};
  return {
    product_id: idOf(product.id || (variant && variant.id)),
    variant_id: idOf(variant && variant.id) || undefined,
    sku: (variant && variant.sku) || undefined,
    name: product.title || undefined,
    variant: (variant && variant.title) || undefined,
    category: product.type || undefined,
    brand: product.vendor || undefined,
    price: amountOf(variant && variant.price),
    image: absolute(variant && variant.image && variant.image.src),
    url: absolute(product.url),
    quantity,
  };
}

function absolute(address) {
  if (!address) return undefined;
  try {
    return new URL(address, init.context.document.location.href).href;
  } catch {
    return undefined;
  }
}

function ofOne(variant) {
  const item = itemOf(variant, 1);
  return { ...item, currency: currencyOf(variant && variant.price), value: item.price, items: [item] };
}

function ofLine(line) {
  const { merchandise, quantity, cost } = line || {};
  const item = itemOf(merchandise, quantity);
  const total = (cost && cost.totalAmount) || undefined;
  const value = amountOf(total) ?? (item.price === undefined ? undefined : item.price * (quantity || 1));
  return { ...item, currency: currencyOf(total) || currencyOf(merchandise && merchandise.price), value, items: [item] };
}

function ofCart(cart) {
  const { lines = [], cost } = cart || {};
  const total = (cost && cost.totalAmount) || undefined;
  const items = lines.slice(0, MAX_ITEMS).map((line) => itemOf(line.merchandise, line.quantity));
  return { value: amountOf(total), currency: currencyOf(total), items };
}

function ofCheckout(checkout) {
  const { token, totalPrice, totalTax, shippingLine, lineItems = [], discountApplications = [] } = checkout || {};
  const codes = discountApplications.filter(({ type }) => type === "DISCOUNT_CODE").map(({ title }) => title);
  return {
    checkout_id: token || undefined,
    value: amountOf(totalPrice),
    currency: currencyOf(totalPrice) || (checkout && checkout.currencyCode),
    tax: amountOf(totalTax),
    shipping: amountOf(shippingLine && shippingLine.price),
    coupon: codes.join(",") || undefined,
    items: lineItems.slice(0, MAX_ITEMS).map(({ variant, quantity }) => itemOf(variant, quantity)),
  };
}

const checkoutStep = (event) => ({ data }) => [{ event, properties: ofCheckout(data.checkout) }];

// Each returns the messages that an event of Shopify's becomes.
const MESSAGES = {
  product_added_to_cart: ({ data }) => [{ event: "add_to_cart", properties: ofLine(data.cartLine) }],
  product_removed_from_cart: ({ data }) => [{ event: "remove_from_cart", properties: ofLine(data.cartLine) }],
  cart_viewed: ({ data }) => [{ event: "view_cart", properties: ofCart(data.cart) }],
  collection_viewed: ({ data }) => {
    const { title, productVariants = [] } = data.collection || {};
    const items = productVariants.slice(0, 50).map((variant) => itemOf(variant));
    return [{ event: "view_item_list", properties: { item_list_name: title, items } }];
  },
  checkout_started({ data }) {
    const properties = ofCheckout(data.checkout);
    const messageId = properties.checkout_id && `shopify-checkout-${properties.checkout_id}`;
    return [{ event: "begin_checkout", messageId, properties }];
  },
  checkout_contact_info_submitted({ data }) {
    const { email, phone } = data.checkout || {};
    const step = { event: "add_contact_info", properties: ofCheckout(data.checkout) };
    const traits = { ...(email && { email }), ...(phone && { phone }) };
    return email || phone ? [{ type: "identify", traits }, step] : [step];
  },
  checkout_address_info_submitted: checkoutStep("add_address_info"),
  checkout_shipping_info_submitted: checkoutStep("add_shipping_info"),
  payment_info_submitted: checkoutStep("add_payment_info"),
  checkout_completed({ data }) {
    const orderId = idOf(data.checkout && data.checkout.order && data.checkout.order.id);
    const properties = { order_id: orderId || undefined, ...ofCheckout(data.checkout) };
    return [{ event: "purchase", messageId: orderId && `shopify-order-${orderId}`, properties }];
  },
  alert_displayed: ({ data }) => [
    { event: "checkout_alert", properties: { kind: data.alert && data.alert.type, place: data.alert && data.alert.target } },
  ],
};
// What our snippet in the theme tells by itself, where there is one.
const MESSAGES_OF_PAGES = {
  page_viewed: () => [{ type: "page", properties: {} }],
  product_viewed: ({ data }) => [{ event: "view_item", properties: ofOne(data.productVariant) }],
  search_submitted({ data }) {
    const { query, productVariants = [] } = data.searchResult || {};
    return [{ event: "search", properties: { search_term: query, results: productVariants.length } }];
  },
};

function pageOf({ document }) {
  const { location, title, referrer } = document;
  return { path: location.pathname, url: location.href, title, referrer, type: pageType(location.pathname) };
}

function pageType(path) {
  if (/\/thank[-_]you|\/orders\//.test(path)) return "thank_you";
  if (/\/checkouts?\b/.test(path)) return "checkout";
  const found = /\/(products|collections|cart|search)\b/.exec(path);
  return { products: "product", collections: "category" }[found && found[1]] || (found && found[1]) || "other";
}

// ---- Telling -------------------------------------------------------------------------------------------------------

async function take(event, wasAllowed, messages) {
  if (!(await mayObserve(wasAllowed))) return;
  const who = await identity();
  const { document, navigator: device } = event.context;
  for (const { type = "track", event: name, messageId, properties, traits } of messages) {
    const session = await nextInSession(Date.now(), document.location.search);
    const entry = {
      type,
      event: name,
      messageId: messageId || (messages.length > 1 ? `${event.id}-${name || type}` : event.id),
      anonymousId: who.anonymousId,
      userId: who.userId || undefined,
      timestamp: event.timestamp,
      properties,
      traits,
      context: {
        sessionId: session.id,
        seq: session.seq,
        page: pageOf(event.context),
        locale: device && device.language,
        userAgent: device && device.userAgent,
        timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
        campaign: session.campaign,
        consent: { analytics: true },
        userHash: who.userHash || undefined,
      },
    };
    waiting.push({ secret: who.secret, message: entry });
  }
  waiting.splice(0, Math.max(0, waiting.length - MAX_WAITING));
  clearTimeout(timer);
  timer = setTimeout(send, WAIT_MS, 0);
}

async function send(tries) {
  const secret = waiting.length && waiting[0].secret;
  let count = 0;
  while (count < MAX_IN_BATCH && waiting[count] && waiting[count].secret === secret) count += 1;
  if (!count) return;
  const batch = waiting.splice(0, count);
  const messages = batch.map(({ message }) => message);
  const sentAt = new Date().toISOString();
  const body = JSON.stringify({ writeKey: WRITE_KEY, browserSecret: secret, sentAt, batch: messages });
  const isTaken = await post(body);
  if (!isTaken && tries < RETRIES_MS.length) {
    waiting.unshift(...batch);
    clearTimeout(timer);
    timer = setTimeout(send, RETRIES_MS[tries], tries + 1);
  } else if (waiting.length) {
    await send(0);
  }
}

// Whether the events are on disk, or never will be: text/plain needs no question beforehand.
async function post(body) {
  try {
    const reply = await fetch(`${COLLECTOR}/v1/batch`, { method: "POST", body, keepalive: body.length < 60000 });
    const isRefused = [400, 401, 403, 413].includes(reply.status);
    if (isRefused) console.warn("micromoment", reply.status, await reply.text());
    return reply.ok || isRefused;
  } catch {
    return false;
  }
}

function listen(names, isWanted) {
  for (const [name, messagesOf] of Object.entries(names)) {
    analytics.subscribe(name, (event) => {
      if (!isWanted(event)) return;
      // A yes that comes while the event waits is not for it.
      const wasAllowed = isAllowed;
      // One after another, so that ids, session and order are those in which the visitor did it.
      work = work.then(() => take(event, wasAllowed, messagesOf(event))).catch((error) => console.debug("micromoment", error));
    });
  }
}

// The theme's snippet does not run in the checkout.
const isInCheckout = ({ context }) => /\/checkouts?\b/.test(context.document.location.pathname);
listen(MESSAGES, () => true);
listen(MESSAGES_OF_PAGES, (event) => !THEME_TELLS_OF_PAGES || isInCheckout(event));
if (privacy && privacy.subscribe) {
  privacy.subscribe("visitorConsentCollected", (event) => {
    isAllowed = event.customerPrivacy.analyticsProcessingAllowed === true;
  });
}
