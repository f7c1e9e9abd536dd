"""From documents to adjudicated gold: notation, differences, adjudication, agreement."""
