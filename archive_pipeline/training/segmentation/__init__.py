"""Fine-tuning of kraken's segmenter (blla) on pages whose lines people have drawn.

The network, its targets, its loss and its file format are kraken's; the loop is ours, on plain torch: kraken's own
(Lightning) writes checkpoints as pickles, draws what it does next from state that is not all in them, and saves at the
end of an epoch, which on two cores is minutes away. Here every random draw follows from the seed and the number of the
step, so that a training that was killed goes on to the very bits that an undisturbed one ends with.
"""
