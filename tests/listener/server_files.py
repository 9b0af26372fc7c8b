"""What a `clickhouse server` needs to be told: as little as possible, and nothing outside its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_SERVER: Final = """<clickhouse>
  <logger><level>warning</level><console>1</console></logger>
  <listen_host>127.0.0.1</listen_host>
  <http_port>{http}</http_port>
  <tcp_port>{tcp}</tcp_port>
  <path>{folder}/data/</path>
  <tmp_path>{folder}/tmp/</tmp_path>
  <user_files_path>{folder}/user_files/</user_files_path>
  <format_schema_path>{folder}/format_schemas/</format_schema_path>
  <user_directories><users_xml><path>{folder}/users.xml</path></users_xml></user_directories>
</clickhouse>
"""
_USERS: Final = """<clickhouse>
  <profiles><default/></profiles>
  <quotas><default/></quotas>
  <users>
    <default>
      <password/>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
    </default>
  </users>
</clickhouse>
"""


def write(folder: Path, http_port: int, tcp_port: int) -> Path:
    """Write a server's files into a folder, and return the one to start it with."""
    (folder / "users.xml").write_text(_USERS, encoding="utf-8")
    config = folder / "config.xml"
    config.write_text(_SERVER.format(folder=folder, http=http_port, tcp=tcp_port), encoding="utf-8")
    return config
