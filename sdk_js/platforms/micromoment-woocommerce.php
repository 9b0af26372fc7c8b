<?php
/**
 * Plugin Name: Micromoment for WooCommerce
 * Description: Puts Micromoment's snippet into the shop's pages, tells it of products, carts and orders, signs who is
 *              logged in, and writes the browser's id into orders, so that the shop's webhooks speak of the same visitor.
 * Version: 0.1.0
 * Requires at least: 6.4
 * Requires PHP: 8.0
 * WC requires at least: 8.0
 * License: Apache-2.0
 *
 * One file, for wp-content/plugins. `micromoment snippet woocommerce` prints it filled in; the constants may as well
 * stand in wp-config.php, which is the better place for the secret.
 */

namespace Micromoment\WooCommerce;

defined( 'ABSPATH' ) || exit;

defined( 'MICROMOMENT_COLLECTOR' ) || define( 'MICROMOMENT_COLLECTOR', '__COLLECTOR__' );
defined( 'MICROMOMENT_SCRIPT_PATH' ) || define( 'MICROMOMENT_SCRIPT_PATH', '__SCRIPT_PATH__' );
defined( 'MICROMOMENT_WRITE_KEY' ) || define( 'MICROMOMENT_WRITE_KEY', '__WRITE_KEY__' );
defined( 'MICROMOMENT_IDENTITY_SECRET' ) || define( 'MICROMOMENT_IDENTITY_SECRET', '__IDENTITY_SECRET__' );
// '' or 'opt-in': capture nothing until the page calls micromoment("consent", {analytics: true}).
defined( 'MICROMOMENT_CONSENT' ) || define( 'MICROMOMENT_CONSENT', '' );

/** The cookie in which the page hands the browser's id to the checkout; it is there only with the visitor's consent. */
const BROWSER_COOKIE = 'micromoment_id';
/** A UUID of version 8, as the snippet makes them. */
const BROWSER_ID = '/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i';

/** Works with orders in tables of their own (HPOS), too. */
add_action(
	'before_woocommerce_init',
	function () {
		if ( class_exists( \Automattic\WooCommerce\Utilities\FeaturesUtil::class ) ) {
			\Automattic\WooCommerce\Utilities\FeaturesUtil::declare_compatibility( 'custom_order_tables', __FILE__ );
		}
	}
);

add_action( 'wp_head', __NAMESPACE__ . '\print_snippet', 5 );
add_action( 'woocommerce_thankyou', __NAMESPACE__ . '\print_purchase' );
add_action( 'woocommerce_add_to_cart', __NAMESPACE__ . '\remember_added', 10, 4 );
add_action( 'woocommerce_remove_cart_item', __NAMESPACE__ . '\remember_removed', 10, 2 );
add_action( 'woocommerce_checkout_order_created', __NAMESPACE__ . '\mark_order' );
add_action( 'woocommerce_store_api_checkout_order_processed', __NAMESPACE__ . '\mark_order' );
add_filter( 'woocommerce_add_to_cart_fragments', __NAMESPACE__ . '\add_fragment' );
add_action( 'wp_footer', __NAMESPACE__ . '\print_fragment' );

/** Prints the snippet, who is logged in, and what the page shows. */
function print_snippet(): void {
	if ( is_admin() || ! function_exists( 'WC' ) ) {
		return;
	}
	echo "<script>window.micromoment=window.micromoment||function(){(micromoment.q=micromoment.q||[]).push(arguments)}</script>\n";
	print_product();
	// There from the start, so that what is pushed later, without a new page, is heard.
	print_script( 'window.dataLayer=window.dataLayer||[];' . identify_call() . cookie_code() );
	foreach ( events_of_page() as $event ) {
		print_event( $event );
	}
	printf(
		"<script async src=\"%s\" data-key=\"%s\"%s></script>\n",
		esc_url( rtrim( MICROMOMENT_COLLECTOR, '/' ) . MICROMOMENT_SCRIPT_PATH ),
		esc_attr( MICROMOMENT_WRITE_KEY ),
		'opt-in' === MICROMOMENT_CONSENT ? ' data-consent="opt-in"' : ''
	);
}

/** Names the product of a product page, under the id that orders use. */
function print_product(): void {
	$product = is_product() ? wc_get_product( get_queried_object_id() ) : null;
	if ( ! $product ) {
		return;
	}
	$item = item_of( $product );
	printf(
		"<meta data-mm-product=\"%s\" data-mm-name=\"%s\" data-mm-category=\"%s\" data-mm-price=\"%s\" data-mm-currency=\"%s\">\n",
		esc_attr( $item['product_id'] ),
		esc_attr( $item['name'] ),
		esc_attr( $item['category'] ),
		esc_attr( $item['price'] ),
		esc_attr( get_woocommerce_currency() )
	);
}

/** Says who is logged in, signed so that nobody else can say so; and, after logging out, that nobody is. */
function identify_call(): string {
	$user = wp_get_current_user();
	if ( ! $user->ID ) {
		return 'try { if (localStorage.getItem("mm_user_id")) micromoment("reset"); } catch (error) {}';
	}
	$user_id = (string) $user->ID;
	$hash    = hash_hmac( 'sha256', $user_id, MICROMOMENT_IDENTITY_SECRET );
	$traits  = array_filter(
		array(
			'email'      => $user->user_email,
			'first_name' => $user->first_name,
			'last_name'  => $user->last_name,
		)
	);
	return sprintf(
		'try { if (localStorage.getItem("mm_user_hash") !== %1$s) micromoment("identify", %2$s, %3$s, {hash: %1$s}); } catch (error) {}',
		json( $hash ),
		json( $user_id ),
		json( (object) $traits )
	);
}

/** Hands the browser's id to the checkout, as long as the visitor allows to be observed. */
function cookie_code(): string {
	return 'addEventListener("load", function () { try {'
		. ' var consent = JSON.parse(localStorage.getItem("mm_consent") || "{}").analytics;'
		. ' var isAsked = document.querySelector("script[data-key][data-consent=opt-in]");'
		. ' var may = consent === true || (consent === undefined && !isAsked);'
		. ' var id = may && localStorage.getItem("mm_anonymous_id") || "";'
		. ' document.cookie = "' . BROWSER_COOKIE . '=" + id + ";path=/;SameSite=Lax;max-age=" + (id ? 2592000 : 0);'
		. ' } catch (error) {} });';
}

/** Returns what the page that is shown tells: the cart, the checkout, and what happened to the cart since the last page. */
function events_of_page(): array {
	$events = take_remembered();
	$cart   = WC()->cart;
	if ( ! $cart || $cart->is_empty() ) {
		return $events;
	}
	if ( is_cart() ) {
		$events[] = cart_event( 'view_cart' );
	} elseif ( is_checkout() && ! is_order_received_page() && ! is_checkout_pay_page() ) {
		$events[] = cart_event( 'begin_checkout' );
	}
	return $events;
}

function cart_event( string $name ): array {
	$items = array();
	foreach ( WC()->cart->get_cart() as $line ) {
		$items[] = item_of( $line['data'], $line['quantity'] );
	}
	return array(
		'event'     => $name,
		'ecommerce' => array(
			'value'    => (float) WC()->cart->get_total( 'edit' ),
			'currency' => get_woocommerce_currency(),
			'items'    => $items,
		),
	);
}

/** Tells of the order on the page that thanks for it; under its number, by which the webhook tells of it, too. */
function print_purchase( $order_id ): void {
	$order = wc_get_order( $order_id );
	if ( ! $order || $order->has_status( array( 'failed', 'cancelled', 'pending' ) ) ) {
		return;
	}
	$items = array();
	foreach ( $order->get_items() as $line ) {
		$product = $line->get_product();
		if ( $product ) {
			$items[] = array_merge( item_of( $product, $line->get_quantity() ), array( 'price' => (float) $order->get_item_total( $line ) ) );
		}
	}
	print_event(
		array(
			'event'     => 'purchase',
			'ecommerce' => array(
				'transaction_id' => (string) $order->get_order_number(),
				'value'          => (float) $order->get_total(),
				'currency'       => $order->get_currency(),
				'tax'            => (float) $order->get_total_tax(),
				'shipping'       => (float) $order->get_shipping_total(),
				'coupon'         => implode( ',', $order->get_coupon_codes() ),
				'items'          => $items,
			),
		)
	);
}

/** Keeps what was put into the cart for the next page, or for the answer to a request without one. */
function remember_added( $key, $product_id, $quantity, $variation_id ): void {
	remember( 'add_to_cart', wc_get_product( $variation_id ? $variation_id : $product_id ), $quantity );
}

function remember_removed( $key, $cart ): void {
	$line = $cart->removed_cart_contents[ $key ] ?? $cart->cart_contents[ $key ] ?? null;
	if ( $line ) {
		remember( 'remove_from_cart', wc_get_product( $line['variation_id'] ? $line['variation_id'] : $line['product_id'] ), $line['quantity'] );
	}
}

function remember( string $name, $product, $quantity ): void {
	if ( ! $product || ! WC()->session ) {
		return;
	}
	$item     = item_of( $product, $quantity );
	$events   = WC()->session->get( 'micromoment_events', array() );
	$events[] = array(
		'event'     => $name,
		'ecommerce' => array(
			'value'    => $item['price'] * $quantity,
			'currency' => get_woocommerce_currency(),
			'items'    => array( $item ),
		),
	);
	WC()->session->set( 'micromoment_events', array_slice( $events, -20 ) );
}

function take_remembered(): array {
	$events = WC()->session ? WC()->session->get( 'micromoment_events', array() ) : array();
	if ( $events ) {
		WC()->session->set( 'micromoment_events', array() );
	}
	return $events;
}

/** Adds to the answer of "add to cart" without a new page what the page is to tell. */
function add_fragment( array $fragments ): array {
	$code = implode( '', array_map( __NAMESPACE__ . '\push_code', take_remembered() ) );
	$fragments['#micromoment-events'] = '<div id="micromoment-events" hidden>' . ( $code ? "<script>$code</script>" : '' ) . '</div>';
	return $fragments;
}

function print_fragment(): void {
	echo '<div id="micromoment-events" hidden></div>';
}

/** Writes into a new order which browser it came from, and who was logged in there. */
function mark_order( $order ): void {
	// phpcs:ignore WordPress.Security.ValidatedSanitizedInput -- nothing but the form of an id passes.
	$browser = isset( $_COOKIE[ BROWSER_COOKIE ] ) ? (string) wp_unslash( $_COOKIE[ BROWSER_COOKIE ] ) : '';
	if ( ! preg_match( BROWSER_ID, $browser ) ) {
		return;
	}
	$order->update_meta_data( '_micromoment_id', $browser );
	$order->update_meta_data( '_micromoment_user', (string) get_current_user_id() );
	$order->save();
}

function item_of( $product, $quantity = 1 ): array {
	$parent     = $product->get_parent_id();
	$categories = get_the_terms( $parent ? $parent : $product->get_id(), 'product_cat' );
	return array_filter(
		array(
			'product_id' => (string) ( $parent ? $parent : $product->get_id() ),
			'variant_id' => $parent ? (string) $product->get_id() : null,
			'sku'        => $product->get_sku(),
			'name'       => $product->get_name(),
			'category'   => is_array( $categories ) && $categories ? $categories[0]->name : '',
			'price'      => (float) wc_get_price_to_display( $product ),
			'quantity'   => (float) $quantity,
			'url'        => get_permalink( $parent ? $parent : $product->get_id() ),
			'image'      => (string) wp_get_attachment_image_url( $product->get_image_id(), 'woocommerce_thumbnail' ),
		),
		function ( $value ) {
			return null !== $value;
		}
	);
}

function print_event( array $event ): void {
	print_script( push_code( $event ) );
}

/** GA4's data layer, which the snippet reads, and other tools, too. */
function push_code( array $event ): string {
	return 'window.dataLayer.push(' . json( $event ) . ');';
}

function print_script( string $code ): void {
	echo '<script>' . $code . "</script>\n"; // phpcs:ignore WordPress.Security.EscapeOutput -- values are JSON without "<".
}

/** JSON that may stand inside a script: no character of it ends one. */
function json( $value ): string {
	return (string) wp_json_encode( $value, JSON_HEX_TAG | JSON_HEX_AMP | JSON_HEX_APOS | JSON_HEX_QUOT | JSON_UNESCAPED_UNICODE );
}
