"""Train kraken's network on lines drawn here, for some seconds; prints JSON. Runs in a `models` run container."""

import json
import os
import random
import sys
import time
from pathlib import Path

import numpy as np
import torch
from kraken.lib.vgsl import TorchVGSLModel
from PIL import Image, ImageDraw, ImageFont
from safetensors.torch import load_file, save_file

seconds, folder = float(sys.argv[1]), Path(sys.argv[2])
torch.manual_seed(1914)
random.seed(1914)
torch.set_num_threads(2)
LETTERS = "abcdefghijklmnopqrstuvwxyz "
font = ImageFont.load_default(32)


def line():
    text = "".join(random.choices(LETTERS, k=10)).strip() or "a"
    image = Image.new("L", (280, 48), 255)
    ImageDraw.Draw(image).text((6, 4), text, font=font, fill=0)
    return 1 - np.asarray(image, np.float32) / 255, [LETTERS.index(letter) + 1 for letter in text]


network = TorchVGSLModel(vgsl=f"[1,48,0,1 Cr3,13,32 Mp2,2 Cr3,9,64 Mp2,2 S1(1x0)1,3 Lbx100 O1c{len(LETTERS) + 1}]")
model = network.nn
weights = folder / "trained.safetensors"
resumed = weights.exists()
if resumed:
    model.load_state_dict(load_file(weights))
model.train()
optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
losses, end = [], time.monotonic() + seconds
while time.monotonic() < end:
    images, labels = zip(*(line() for _ in range(16)), strict=True)
    output, _ = model(torch.from_numpy(np.stack(images))[:, None])
    # (batch, classes, 1, width) of probabilities to what CTC wants.
    logits = output.squeeze(2).permute(2, 0, 1).log_softmax(2)
    targets = torch.tensor([code for label in labels for code in label])
    lengths = [len(label) for label in labels]
    loss = torch.nn.functional.ctc_loss(logits, targets, [logits.shape[0]] * 16, lengths, zero_infinity=True)
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    losses.append(loss.item())
folder.mkdir(exist_ok=True)
temporary = weights.with_suffix(".tmp")
save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, temporary)
temporary.replace(weights)
print(
    json.dumps(
        {
            "steps": len(losses),
            "resumed": resumed,
            "first": float(np.mean(losses[:10])),
            "last": float(np.mean(losses[-10:])),
            "uid": os.getuid(),
        }
    )
)
