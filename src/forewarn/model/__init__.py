"""From text to spans: windows, encoder, heads, decoding, calibration, predictor."""
