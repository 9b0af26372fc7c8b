"""The collector, the edge of Micromoment: takes events over HTTP, spools them durably, and streams banners out."""
