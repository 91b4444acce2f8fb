"""What the suite is made of: licences, checksums and advisories of the pinned releases, and a bill of materials."""
