"""A folder that predicts without the studio: network, weights, how raw samples are read, and a card."""
