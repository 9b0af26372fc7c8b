"""The live path under load: any checkout started as its users start it, and measured from outside."""
