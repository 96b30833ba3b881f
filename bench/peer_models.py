"""The models of models.py, with random weights: what they compute matters here, not what they say."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Basic(nn.Module):
    def __init__(self, i, o, st):
        super().__init__()
        self.conv1 = nn.Conv2d(i, o, 3, st, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(o)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(o, o, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(o)
        self.downsample = (
            nn.Sequential(nn.Conv2d(i, o, 1, st, bias=False), nn.BatchNorm2d(o)) if st != 1 or i != o else None
        )

    def forward(self, x):
        idt = x
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        if self.downsample is not None:
            idt = self.downsample(x)
        out += idt
        return self.relu(out)


class Bottle(nn.Module):
    def __init__(self, i, o, st):
        super().__init__()
        m = o // 4
        self.conv1 = nn.Conv2d(i, m, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(m)
        self.conv2 = nn.Conv2d(m, m, 3, st, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(m)
        self.conv3 = nn.Conv2d(m, o, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(o)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = (
            nn.Sequential(nn.Conv2d(i, o, 1, st, bias=False), nn.BatchNorm2d(o)) if st != 1 or i != o else None
        )

    def forward(self, x):
        idt = x
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        if self.downsample is not None:
            idt = self.downsample(x)
        out += idt
        return self.relu(out)


class ResNet(nn.Module):
    def __init__(self, block, layers, width=64, exp=1, ncls=1000):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        i = width
        L = []
        for k, n in enumerate(layers):
            o = width * 2**k * exp
            bl = []
            for j in range(n):
                bl.append(block(i, o, 2 if j == 0 and k > 0 else 1))
                i = o
            L.append(nn.Sequential(*bl))
        self.layer1, self.layer2, self.layer3, self.layer4 = L
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(i, ncls)

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer1(x)
        x = self.layer2(x)
        x = self.layer3(x)
        x = self.layer4(x)
        return self.fc(torch.flatten(self.avgpool(x), 1))


def resnet18(**k):
    return ResNet(Basic, [2, 2, 2, 2], **k)


def resnet50(width=64, **k):
    return ResNet(Bottle, [3, 4, 6, 3], width=width, exp=4, **k)


class InvRes(nn.Module):
    def __init__(self, i, o, st, t):
        super().__init__()
        h = i * t
        self.use = st == 1 and i == o
        layers = []
        if t != 1:
            layers += [nn.Conv2d(i, h, 1, bias=False), nn.BatchNorm2d(h), nn.ReLU6(inplace=True)]
        layers += [
            nn.Conv2d(h, h, 3, st, 1, groups=h, bias=False),
            nn.BatchNorm2d(h),
            nn.ReLU6(inplace=True),
            nn.Conv2d(h, o, 1, bias=False),
            nn.BatchNorm2d(o),
        ]
        self.conv = nn.Sequential(*layers)

    def forward(self, x):
        if self.use:
            return x + self.conv(x)
        else:
            return self.conv(x)


class MobileNetV2(nn.Module):
    def __init__(self, ncls=1000):
        super().__init__()
        f = [nn.Conv2d(3, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU6(inplace=True)]
        i = 32
        for t, c, n, st in [
            (1, 16, 1, 1),
            (6, 24, 2, 2),
            (6, 32, 3, 2),
            (6, 64, 4, 2),
            (6, 96, 3, 1),
            (6, 160, 3, 2),
            (6, 320, 1, 1),
        ]:
            for j in range(n):
                f.append(InvRes(i, c, st if j == 0 else 1, t))
                i = c
        f += [nn.Conv2d(320, 1280, 1, bias=False), nn.BatchNorm2d(1280), nn.ReLU6(inplace=True)]
        self.features = nn.Sequential(*f)
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(1280, ncls))

    def forward(self, x):
        x = self.features(x)
        x = F.adaptive_avg_pool2d(x, (1, 1))
        return self.classifier(torch.flatten(x, 1))


class Attn(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.qkv = nn.Linear(d, 3 * d)
        self.proj = nn.Linear(d, d)

    def forward(self, x):
        B, N, C = x.shape
        qkv = self.qkv(x).reshape(B, N, 3, self.h, C // self.h).permute(2, 0, 3, 1, 4)
        q, k, v = qkv.unbind(0)
        x = F.scaled_dot_product_attention(q, k, v)
        return self.proj(x.transpose(1, 2).reshape(B, N, C))


class VBlock(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.n1 = nn.LayerNorm(d, eps=1e-6)
        self.a = Attn(d, h)
        self.n2 = nn.LayerNorm(d, eps=1e-6)
        self.m = nn.Sequential(nn.Linear(d, 4 * d), nn.GELU(), nn.Linear(4 * d, d))

    def forward(self, x):
        x = x + self.a(self.n1(x))
        return x + self.m(self.n2(x))


class ViT(nn.Module):
    def __init__(self, d=192, h=3, n=12, p=16, im=224):
        super().__init__()
        self.pe = nn.Conv2d(3, d, p, p)
        self.cls = nn.Parameter(torch.randn(1, 1, d) * 0.02)
        self.pos = nn.Parameter(torch.randn(1, (im // p) ** 2 + 1, d) * 0.02)
        self.bl = nn.Sequential(*[VBlock(d, h) for _ in range(n)])
        self.norm = nn.LayerNorm(d, eps=1e-6)
        self.head = nn.Linear(d, 1000)

    def forward(self, x):
        x = self.pe(x).flatten(2).transpose(1, 2)
        x = torch.cat((self.cls.expand(x.shape[0], -1, -1), x), dim=1) + self.pos
        return self.head(self.norm(self.bl(x))[:, 0])


class BertLayer(nn.Module):
    def __init__(self, d=384, h=12, f=1536, sdpa=False):
        super().__init__()
        self.h = h
        self.sdpa = sdpa
        self.query = nn.Linear(d, d)
        self.key = nn.Linear(d, d)
        self.value = nn.Linear(d, d)
        self.dense = nn.Linear(d, d)
        self.ln1 = nn.LayerNorm(d, eps=1e-12)
        self.inter = nn.Linear(d, f)
        self.out = nn.Linear(f, d)
        self.ln2 = nn.LayerNorm(d, eps=1e-12)
        self.drop = nn.Dropout(0.1)

    def sp(self, x: Tensor) -> Tensor:
        return x.view(x.size(0), x.size(1), self.h, -1).permute(0, 2, 1, 3)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        q, k, v = self.sp(self.query(x)), self.sp(self.key(x)), self.sp(self.value(x))
        if self.sdpa:
            c = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        else:
            a = torch.matmul(q, k.transpose(-1, -2)) / math.sqrt(q.size(-1))
            a = F.softmax(a + mask, dim=-1)
            c = torch.matmul(self.drop(a), v)
        c = c.permute(0, 2, 1, 3).contiguous()
        c = c.view(c.size(0), c.size(1), -1)
        x = self.ln1(self.drop(self.dense(c)) + x)
        return self.ln2(self.drop(self.out(F.gelu(self.inter(x)))) + x)


class MiniLM(nn.Module):
    def __init__(self, n=6, d=384, h=12, f=1536, V=30522, sdpa=False):
        super().__init__()
        self.we = nn.Embedding(V, d, padding_idx=0)
        self.pe = nn.Embedding(512, d)
        self.te = nn.Embedding(2, d)
        self.ln = nn.LayerNorm(d, eps=1e-12)
        self.drop = nn.Dropout(0.1)
        self.layers = nn.ModuleList([BertLayer(d, h, f, sdpa) for _ in range(n)])
        self.register_buffer("pos", torch.arange(512).unsqueeze(0))

    def forward(self, ids: Tensor, am: Tensor) -> Tensor:
        L = ids.size(1)
        x = self.we(ids) + self.te(torch.zeros_like(ids)) + self.pe(self.pos[:, :L])
        x = self.drop(self.ln(x))
        m = (1.0 - am[:, None, None, :].to(x.dtype)) * -3.4028234663852886e38
        for layer in self.layers:
            x = layer(x, m)
        w = am.unsqueeze(-1).expand(x.size()).float()
        e = torch.sum(x * w, 1) / torch.clamp(w.sum(1), min=1e-9)
        return F.normalize(e, p=2.0, dim=1)


class MLP(nn.Module):
    def __init__(self, d=256, h=512, n=4):
        super().__init__()
        layers = []
        for i in range(n):
            layers += [nn.Linear(d if i == 0 else h, h), nn.ReLU()]
        self.n = nn.Sequential(*layers, nn.Linear(h, 16))

    def forward(self, x):
        return self.n(x)


class LSTMTagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.l = nn.LSTM(128, 256, 1, batch_first=True)
        self.o = nn.Linear(256, 20)

    def forward(self, x):
        y, _ = self.l(x)
        return self.o(y)


def shake(module: nn.Module) -> nn.Module:
    """Statistics other than 0 and 1, so that batch normalisation does something."""
    for each in module.modules():
        if isinstance(each, nn.BatchNorm2d):
            each.running_mean.normal_(0, 0.1)
            each.running_var.uniform_(0.5, 1.5)
    return module.eval()


def ids(batch: int, length: int) -> tuple[Tensor, Tensor]:
    return torch.randint(0, 30000, (batch, length)), torch.ones(batch, length, dtype=torch.long)


def image() -> tuple[Tensor]:
    return (torch.randn(1, 3, 224, 224),)


# By name: the model, and inputs for it.
MODELS = {
    "mlp_1": (MLP, lambda: (torch.randn(1, 256),)),
    "mlp_64": (MLP, lambda: (torch.randn(64, 256),)),
    "lstm_1x64": (LSTMTagger, lambda: (torch.randn(1, 64, 128),)),
    "resnet18": (resnet18, image),
    "resnet50": (resnet50, image),
    "mobilenetv2": (MobileNetV2, image),
    "vit_tiny": (ViT, image),
    "minilm_1x16": (MiniLM, lambda: ids(1, 16)),
    "minilm_1x128": (MiniLM, lambda: ids(1, 128)),
}
