"""Mobingi ALM v3: what mobingi-cli, its SDK and alm-agent call."""
