"""Looking inside: a network's weights and activations, its drawing, and the machine it runs on."""
