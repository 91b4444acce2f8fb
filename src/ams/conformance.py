"""The conformance kit under its former name: `ams.conformance` is the package `samplercheck`."""

import sys

import samplercheck

sys.modules[__name__] = samplercheck
