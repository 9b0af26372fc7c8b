"""Banners on their way to open pages: the streams that wait, and who may listen to one."""
