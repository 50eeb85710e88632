"""All boards of one MQTT broker at a glance: `edge-vision fleet`.

nodes.py   what the boards say, as rows
feed.py    the connection that listens
table.py   rows in a terminal
server.py  rows on a page; page/ is what the browser gets
"""
