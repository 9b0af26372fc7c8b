"""The benchmarks: costs and response times of the product, measured while it runs."""
