-- The products of a site as its server or an import described them last.
SELECT product_id, name, category, price, currency, image, url
FROM verified_products FINAL
WHERE site = {site:String}
ORDER BY ts DESC, product_id
LIMIT {limit:UInt32}
