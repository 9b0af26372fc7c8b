"""The collector, the edge of Micromoment: takes events over HTTP, keeps them durably, and streams banners out."""
