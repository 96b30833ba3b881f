"""Networks for images, and what stands around them: detection, sampling, decoding."""

from typing import Final, NamedTuple

import torch
from case import Makers, both, frozen, scripted, traced
from torch import Tensor, nn
from torch.nn import functional as F


class Fire(nn.Module):
    def __init__(self, inputs: int, squeeze: int, expand: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(inputs, squeeze, 1)
        self.activation = nn.ReLU(inplace=True)
        self.one = nn.Conv2d(squeeze, expand, 1)
        self.three = nn.Conv2d(squeeze, expand, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.activation(self.squeeze(x))
        return torch.cat([self.activation(self.one(x)), self.activation(self.three(x))], 1)


class SqueezeNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 8, 3, stride=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2, ceil_mode=True),
            Fire(8, 4, 8),
            Fire(16, 4, 8),
        )
        self.classifier = nn.Sequential(
            nn.Dropout(0.5), nn.Conv2d(16, 5, 1), nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d((1, 1))
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.flatten(self.classifier(self.features(x)), 1)


class SqueezeExcitation(nn.Module):
    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        self.reduce, self.expand = nn.Conv2d(channels, squeezed, 1), nn.Conv2d(squeezed, channels, 1)
        self.pool = nn.AdaptiveAvgPool2d(1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(self.expand(F.silu(self.reduce(self.pool(x)), inplace=True))) * x


def conv_bn(inputs: int, outputs: int, size: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs, eps=1e-3), nn.SiLU(inplace=True))


class InvertedResidual(nn.Module):
    use_residual: Final[bool]

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        wide = inputs * 4
        self.block = nn.Sequential(
            conv_bn(inputs, wide, 1), conv_bn(wide, wide, 3, stride, wide), SqueezeExcitation(wide, 4)
        )
        self.project = nn.Sequential(nn.Conv2d(wide, outputs, 1, bias=False), nn.BatchNorm2d(outputs))
        self.use_residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        result = self.project(self.block(x))
        if self.use_residual:
            result += x
        return result


class EfficientNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(conv_bn(3, 8, 3, 2), InvertedResidual(8, 8, 1), InvertedResidual(8, 12, 2))
        self.classifier = nn.Sequential(nn.Dropout(0.2, inplace=True), nn.Linear(12, 7))

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x).mean([2, 3]))


class DenseLayer(nn.Module):
    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.norm, self.conv = nn.BatchNorm2d(inputs), nn.Conv2d(inputs, 4, 3, padding=1, bias=False)

    def forward(self, features: list[Tensor]) -> Tensor:
        return self.conv(F.relu(self.norm(torch.cat(features, 1)), inplace=True))


class DenseNet(nn.Module):
    """A ModuleDict whose layers see the list of all before them."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleDict({f"layer{i}": DenseLayer(3 + 4 * i) for i in range(3)})
        self.pool = nn.AvgPool2d(2, 2)

    def forward(self, x: Tensor) -> Tensor:
        features = [x]
        for _, layer in self.layers.items():
            features.append(layer(features))
        return self.pool(torch.cat(features, 1))


class UNet(nn.Module):
    """One way up by a transposed convolution, one by interpolation to the size of what is joined."""

    def __init__(self, mode: str) -> None:
        super().__init__()
        self.mode = mode
        self.down1, self.down2 = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 8, 3, padding=1)
        self.middle = nn.Conv2d(8, 8, 3, padding=2, dilation=2)
        self.up = nn.ConvTranspose2d(8, 4, 3, stride=2, padding=1, output_padding=1)
        self.end = nn.Conv2d(8 + 8, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        first = F.relu(self.down1(x))
        second = F.relu(self.down2(F.max_pool2d(first, 2)))
        middle = self.middle(F.avg_pool2d(second, 2))
        up = torch.cat([self.up(F.leaky_relu(second, 0.1)), first], 1)
        if self.mode == "nearest":
            wide = F.interpolate(middle, scale_factor=4.0, mode=self.mode)
        else:
            wide = F.interpolate(middle, size=first.shape[-2:], mode=self.mode, align_corners=self.mode == "bilinear")
        return self.end(torch.cat([up, wide], 1))


class InceptionOutputs(NamedTuple):
    logits: Tensor
    aux: Tensor | None


class Inception(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.wide = nn.Conv2d(3, 4, (1, 5), padding=(0, 2))
        self.high = nn.Conv2d(4, 4, (5, 1), padding=(2, 0))
        self.pooled = nn.Conv2d(3, 4, 1)
        self.branches = nn.ModuleList([nn.Conv2d(3, 2, size, padding=size // 2) for size in (1, 3)])
        self.aux = nn.Linear(12, 3)
        self.head = nn.Linear(12, 3)
        self.aux_logits = True

    def forward(self, x: Tensor) -> InceptionOutputs:
        outputs = [self.high(self.wide(x)), self.pooled(F.avg_pool2d(x, 3, stride=1, padding=1))]
        outputs += [branch(x) for branch in self.branches]
        features = F.adaptive_avg_pool2d(torch.cat(outputs, 1), (1, 1)).flatten(1)
        aux: Tensor | None = self.aux(features) if self.aux_logits and not self.training else None
        return InceptionOutputs(self.head(features), aux)


def box_iou(boxes: Tensor, others: Tensor) -> Tensor:
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    other_area = (others[:, 2] - others[:, 0]) * (others[:, 3] - others[:, 1])
    left_top = torch.max(boxes[:, None, :2], others[:, :2])
    sides = (torch.min(boxes[:, None, 2:], others[:, 2:]) - left_top).clamp(min=0)
    inter = sides[..., 0] * sides[..., 1]
    return inter / (area[:, None] + other_area - inter)


class Detector(nn.Module):
    """Anchors, box decoding, top-k, and NMS for each class in loops."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.Conv2d(3, 8, 3, stride=4, padding=1)
        self.scores, self.deltas = nn.Conv2d(8, 2, 1), nn.Conv2d(8, 4, 1)

    def anchors(self, height: int, width: int) -> Tensor:
        y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        centers = torch.stack([x, y], -1).reshape(-1, 2).to(torch.float32) * 4
        return torch.cat([centers - 6, centers + 6], 1)

    def nms(self, boxes: Tensor, scores: Tensor, threshold: float) -> Tensor:
        order = scores.argsort(0, descending=True)
        keep: list[int] = []
        while order.numel() > 0:
            first = int(order[0])
            keep.append(first)
            if order.numel() == 1:
                break
            rest = order[1:]
            overlaps = box_iou(boxes[first].unsqueeze(0), boxes[rest])[0]
            order = rest[overlaps <= threshold]
        return torch.tensor(keep, dtype=torch.long)

    def forward(self, images: Tensor, threshold: float = 0.3) -> list[dict[str, Tensor]]:
        features = F.relu(self.backbone(images))
        height, width = features.shape[-2:]
        anchors = self.anchors(height, width)
        scores = self.scores(features).permute(0, 2, 3, 1).flatten(1, 2).sigmoid()
        deltas = self.deltas(features).permute(0, 2, 3, 1).flatten(1, 2).tanh() * 3
        results: list[dict[str, Tensor]] = []
        for i in range(images.shape[0]):
            boxes = (anchors + deltas[i]).clamp(0, 16)
            best, labels = scores[i].max(1)
            top, index = best.topk(min(10, best.numel()))
            boxes, labels = boxes[index], labels[index]
            big = ((boxes[:, 2] > boxes[:, 0] + 2) & (boxes[:, 3] > boxes[:, 1] + 2)).nonzero().squeeze(1)
            boxes, labels, top = boxes[big], labels[big], top[big]
            kept: list[Tensor] = []
            for label in torch.unique(labels):
                of_label = torch.where(labels == label)[0]
                kept.append(of_label[self.nms(boxes[of_label], top[of_label], threshold)])
            keep = torch.cat(kept) if len(kept) > 0 else torch.zeros([0], dtype=torch.long)
            results.append({"boxes": boxes[keep], "labels": labels[keep], "scores": top[keep]})
        return results


class SpatialTransformer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.localization = nn.Linear(3 * 6 * 6, 6)
        with torch.no_grad():
            self.localization.bias.copy_(torch.tensor([1.0, 0.1, 0.0, -0.1, 1.0, 0.0]))

    def forward(self, x: Tensor) -> Tensor:
        theta = self.localization(x.flatten(1)).view(-1, 2, 3)
        grid = F.affine_grid(theta, list(x.size()), align_corners=False)
        return F.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)


class ShiftedWindow(nn.Module):
    """Attention in windows with a table of relative positions, cyclically shifted."""

    def __init__(self, channels: int = 8, window: int = 2, heads: int = 2) -> None:
        super().__init__()
        self.window, self.heads, self.shift = window, heads, window // 2
        self.qkv, self.project = nn.Linear(channels, channels * 3), nn.Linear(channels, channels)
        self.bias = nn.Parameter(torch.randn((2 * window - 1) ** 2, heads))
        place = torch.stack(torch.meshgrid(torch.arange(window), torch.arange(window), indexing="ij")).flatten(1)
        relative = (place[:, :, None] - place[:, None, :] + window - 1).permute(1, 2, 0)
        self.register_buffer("index", (relative[..., 0] * (2 * window - 1) + relative[..., 1]).view(-1))

    def forward(self, x: Tensor) -> Tensor:
        n, height, width, channels = x.shape
        window, area = self.window, self.window * self.window
        x = torch.roll(x, shifts=[-self.shift, -self.shift], dims=[1, 2])
        x = x.view(n, height // window, window, width // window, window, channels)
        x = x.permute(0, 1, 3, 2, 4, 5).reshape(-1, area, channels)
        q, k, v = self.qkv(x).reshape(-1, area, 3, self.heads, channels // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        scores = q @ k.transpose(-2, -1) * (channels // self.heads) ** -0.5
        scores = scores + self.bias[self.index].view(area, area, -1).permute(2, 0, 1).contiguous().unsqueeze(0)
        x = self.project((F.softmax(scores, -1) @ v).transpose(1, 2).reshape(-1, area, channels))
        x = x.view(n, height // window, width // window, window, window, channels).permute(0, 1, 3, 2, 4, 5)
        return torch.roll(x.reshape(n, height, width, channels), shifts=[self.shift, self.shift], dims=[1, 2])


class Video(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.space = nn.Conv3d(3, 4, (1, 3, 3), (1, 2, 2), (0, 1, 1), bias=False)
        self.time = nn.Conv3d(4, 6, (3, 1, 1), padding=(1, 0, 0))
        self.norm, self.up = nn.BatchNorm3d(4), nn.ConvTranspose3d(6, 2, 2, 2)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.time(F.relu(self.norm(self.space(x))))
        pooled = F.adaptive_avg_pool3d(F.max_pool3d(x, (1, 2, 2)), 1).flatten(1)
        return pooled, F.interpolate(self.up(x), scale_factor=(1.0, 0.5, 0.5), mode="trilinear", align_corners=False)


class PoolUnpool(nn.Module):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        pooled, index = F.max_pool2d(x, 2, return_indices=True)
        adaptive, where = F.adaptive_max_pool2d(x, (3, 2), return_indices=True)
        return F.max_unpool2d(pooled, index, 2), adaptive, where


class Patches(nn.Module):
    """Unfold, a product with each patch, fold."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Linear(8, 8)

    def forward(self, x: Tensor) -> Tensor:
        patches = F.unfold(x, 2, padding=1, stride=2, dilation=1)
        mixed = self.mix(patches.transpose(1, 2)).transpose(1, 2)
        return F.fold(mixed, [x.shape[2], x.shape[3]], kernel_size=2, padding=1, stride=2)


class Upsampler(nn.Module):
    def forward(self, x: Tensor) -> list[Tensor]:
        return [
            F.interpolate(x, scale_factor=2.0, mode="bicubic", align_corners=False),
            F.interpolate(x, size=[3, 5], mode="bilinear", align_corners=False, antialias=True),
            F.interpolate(x, size=[3, 5], mode="bicubic", align_corners=False, antialias=True),
            F.interpolate(x, size=[3, 5], mode="area"),
            F.interpolate(x, size=[9, 7], mode="nearest-exact"),
            F.interpolate(x[:, :, 0], scale_factor=1.7, mode="linear", align_corners=True),
            F.interpolate(x, scale_factor=[0.5, 1.5], mode="bilinear", recompute_scale_factor=True),
            nn.functional.pixel_shuffle(x.repeat(1, 4, 1, 1), 2),
        ]


class Norms(nn.Module):
    """What image-to-image networks are made of."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.ReflectionPad2d(2),
            nn.Conv2d(3, 8, 5, groups=1, bias=False),
            nn.GroupNorm(4, 8),
            nn.PReLU(8),
            nn.ReplicationPad2d(1),
            nn.Conv2d(8, 8, 3, groups=4, padding_mode="circular", padding=1),
            nn.InstanceNorm2d(8, affine=True, track_running_stats=True),
            nn.ELU(inplace=True),
            nn.ZeroPad2d((1, 0, 0, 1)),
            nn.ConvTranspose2d(8, 4, 4, 2, 1, groups=2),
            nn.LocalResponseNorm(2),
            nn.Hardswish(),
            nn.Conv2d(4, 4, 3, padding="same", dilation=2),
            nn.Softmax2d(),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class Heatmaps(nn.Module):
    """Keypoints from heat maps: the arg max, moved by the neighbours' slope; soft arg max."""

    def forward(self, maps: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        n, joints, height, width = maps.shape
        best, index = maps.view(n, joints, -1).max(2)
        x, y = index % width, torch.div(index, width, rounding_mode="floor")
        points = torch.stack((x, y), 2).float()
        for i in range(n):
            for j in range(joints):
                column, row = int(x[i, j].item()), int(y[i, j].item())
                if 0 < column < width - 1 and 0 < row < height - 1:
                    heat = maps[i, j]
                    slope = torch.stack(
                        [heat[row, column + 1] - heat[row, column - 1], heat[row + 1, column] - heat[row - 1, column]]
                    )
                    points[i, j] += torch.sign(slope) * 0.25
        soft = maps.flatten(2).softmax(-1).view_as(maps)
        expected = (soft.sum(2) * torch.arange(width, dtype=maps.dtype)).sum(-1)
        points[best < 0.5] = -1.0
        return points, expected, best.masked_fill(best < 0.5, 0.0)


class SpectralConv(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 4, 3))
        self.linear = nn.utils.parametrizations.spectral_norm(nn.Linear(4, 4))
        self.old = nn.utils.weight_norm(nn.Linear(4, 2))
        self.orthogonal = nn.utils.parametrizations.orthogonal(nn.Linear(2, 2))

    def forward(self, x: Tensor) -> Tensor:
        return self.orthogonal(self.old(self.linear(self.conv(x).amax((2, 3)))))


def image(*shape: int) -> Tensor:
    return torch.rand(shape) * 2 - 1


CASES: Makers = {
    **both("squeezenet", SqueezeNet, lambda: (image(2, 3, 33, 33),)),
    "squeezenet_frozen": lambda: frozen(SqueezeNet(), image(2, 3, 33, 33)),
    **both("efficientnet", EfficientNet, lambda: (image(1, 3, 16, 16),)),
    "efficientnet_frozen": lambda: frozen(EfficientNet(), image(1, 3, 16, 16)),
    "densenet_script": lambda: scripted(DenseNet(), image(1, 3, 8, 8)),
    **both("unet_bilinear", lambda: UNet("bilinear"), lambda: (image(1, 1, 16, 16),)),
    "unet_bicubic_script": lambda: scripted(UNet("bicubic"), image(1, 1, 16, 16)),
    **both("inception", Inception, lambda: (image(2, 3, 9, 9),)),
    "detector_script": lambda: scripted(Detector(), image(2, 3, 16, 16)),
    **both("spatial_transformer", SpatialTransformer, lambda: (image(2, 3, 6, 6),)),
    **both("shifted_window", ShiftedWindow, lambda: (image(1, 4, 4, 8),)),
    **both("video", Video, lambda: (image(1, 3, 4, 8, 8),)),
    "pool_unpool_script": lambda: scripted(PoolUnpool(), image(1, 2, 6, 6)),
    **both("patches", Patches, lambda: (image(1, 2, 6, 6),)),
    **both("upsampler", Upsampler, lambda: (image(1, 2, 6, 5),)),
    **both("norms", Norms, lambda: (image(1, 3, 8, 8),)),
    "heatmaps_script": lambda: scripted(Heatmaps(), torch.rand(2, 3, 5, 6)),
    "spectral_trace": lambda: traced(SpectralConv(), image(2, 3, 5, 5)),
}
