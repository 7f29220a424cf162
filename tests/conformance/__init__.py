"""The Autobahn test suite against the WebSocket door: ``make conformance``. Nothing here is collected by pytest."""
