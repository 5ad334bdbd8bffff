"""RFC 6455 as the Autobahn test suite asks for it, on the listeners of this venue: `make conformance`."""
