"""The browser SDK's built files, shipped as package data under `dist/`."""
