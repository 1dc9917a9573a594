import pytest
import timm
import torch
import torch.nn.functional as F

from pyg_vision.nn import MobileViG, find_builder
from pyg_vision.training import ImageClassifier
from pyg_vision.training import _seeding as seeding
from pyg_vision.training._distillation import make_teacher
from tests.faults import write_images
from tests.training import small

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
MODEL = {"channels": 16, "depth": 1, "k": 3, "image_size": 16, "patch_size": 4}


def make(**options):
    module = ImageClassifier("pyg_vision.nn.ViG", options=MODEL, **options)
    module.build(["a", "b", "c"])
    return module


def test_mixed_labels_are_probabilities():
    module = make(mixup=0.8, cutmix=1.0)
    images, labels = torch.rand(6, 3, 16, 16), torch.tensor([0, 1, 2, 0, 1, 2])
    mixed, soft, _ = module.mix((images, labels, torch.arange(6)))
    torch.testing.assert_close(soft.sum(1), torch.ones(6))
    assert mixed.shape == images.shape
    plain = make().mix((images, labels, None))
    assert plain[0] is images
    # As timm smooths mixed labels: (1 - s) t + s / K.
    logits = torch.randn(6, 3)
    smooth = 0.9 * soft + 0.1 / 3
    expected = -(smooth * logits.log_softmax(1)).sum(1).mean()
    torch.testing.assert_close(F.cross_entropy(logits, soft, label_smoothing=0.1), expected)


def test_both_ways_to_mix_come_up():
    module = make(mixup=0.8, cutmix=1.0)
    images = torch.stack([torch.zeros(3, 16, 16), torch.ones(3, 16, 16)])
    cut = 0
    for step in range(60):
        seeding.set_seed(step)
        mixed, _, _ = module.mix((images, torch.tensor([0, 1]), torch.arange(2)))
        cut += bool(((mixed == 0) | (mixed == 1)).all())
    assert 15 < cut < 45


def test_repeated_samples_are_mixed_with_others():
    module = make(mixup=0.8)
    images = torch.arange(8.0).repeat_interleave(3).view(-1, 1, 1, 1).expand(-1, 3, 4, 4)
    same = 0
    for step in range(20):
        seeding.set_seed(step)
        mixed, _, index = module.mix((images, torch.zeros(24).long(), torch.arange(24)))
        own = (index // 3).float()
        same += int(((mixed[:, 0, 0, 0] - own).abs() < 1e-6).sum())
    assert same < 0.3 * 20 * 24  # two of three if neighbours were mixed


def test_importance_decays_and_biases_of_any_shape_do_not():
    from pyg_vision.training import SkeletonClassifier

    module = SkeletonClassifier("stgcn", options={"in_channels": 3, "stages": [(4, 1, 1)]})
    module.build(["a", "b"])
    names = {id(p): name for name, p in module.trained.named_parameters()}
    decays, rest = module._optimizer(1e-3).param_groups
    assert not [names[id(p)] for p in decays["params"] if names[id(p)].endswith("bias")]
    assert any("bias" in names[id(p)] and p.dim() > 1 for p in rest["params"])
    assert any("importance" in names[id(p)] for p in decays["params"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lr": 0}, r"'lr' must be positive \(got 0\)"),
        ({"lr": -0.1}, "'lr' must be positive"),
        ({"lr": 0.1, "min_lr": 1.0}, "'min_lr' must be from 0 to 'lr' = 0.1"),
        ({"lr": 0.1, "warm_up_lr": 0.2}, "'warm_up_lr' must be from 0"),
        ({"weight_decay": -1}, "'weight_decay' must not be negative"),
        ({"momentum": 1.0}, "'momentum' must be from 0 to below 1"),
        ({"label_smoothing": 2}, "'label_smoothing' must be from 0 to below 1"),
        ({"factor": -1}, "'factor' must be above 0"),
        ({"lr_batch": 0}, "'lr_batch' must be at least 1"),
    ],
)
def test_numbers_that_cannot_be_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        ImageClassifier("vig_ti", **options)


def test_one_class_is_none():
    with pytest.raises(ValueError, match="two classes or more"):
        ImageClassifier("vig_ti").build(["im"])


def test_weights_follow_from_the_seed():
    a, b, c = (make(seed=seed).evaluated.state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert not all(torch.equal(a[name], c[name]) for name in a)


def test_norms_and_biases_do_not_decay_unless_asked_for():
    groups = make(weight_decay=0.1)._optimizer(1e-3).param_groups
    assert [group["weight_decay"] for group in groups] == [0.1, 0.0]
    assert all(p.dim() > 1 for p in groups[0]["params"])
    assert all(p.dim() <= 1 for p in groups[1]["params"])
    groups = make(weight_decay=0.1, decay_all=True, optimizer="sgd")._optimizer(1e-3).param_groups
    assert [group["weight_decay"] for group in groups] == [0.1]
    assert groups[0]["nesterov"]


def test_the_average_of_the_weights_is_what_is_evaluated(tmp_path):
    root = write_images(tmp_path / "images", per_class=6)
    module, data = small.images(root, ema=0.5)
    seen = []
    step = module.optimizer_step

    def spy(*args, **kwargs):
        step(*args, **kwargs)
        seen.append({k: v.clone() for k, v in module.model.named_parameters()})

    module.optimizer_step = spy
    trainer = small.trainer(tmp_path / "run", max_epochs=1)
    trainer.fit(module, datamodule=data)
    average = seen[0]
    for weights in seen[1:]:
        average = {k: 0.5 * average[k] + 0.5 * v for k, v in weights.items()}
    for name, value in module.evaluated.named_parameters():
        torch.testing.assert_close(value, average[name])
    assert module.evaluated is not module.trained


def test_the_learning_rate_is_in_proportion_to_the_global_batch(tmp_path):
    root = write_images(tmp_path / "images", per_class=8)
    module, data = small.images(root, lr_batch=32)
    trainer = small.trainer(tmp_path / "run", max_epochs=1, accumulate_grad_batches=2)
    trainer.fit(module, datamodule=data)
    assert trainer.lr_scheduler_configs[0].scheduler.base_lrs[0] == pytest.approx(1e-2 * 8 / 32)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mixup": -1.0}, "'mixup' must not be negative"),
        ({"ema": 1.0}, "'ema' must be between 0 and 1"),
        ({"optimizer": "lion"}, "'optimizer' must be 'adamw' or 'sgd'"),
    ],
)
def test_wrong_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        make(**options)


def test_models_that_are_not_there():
    with pytest.raises(ValueError, match="there is no model 'vig_xl'; known are .*vig_ti"):
        ImageClassifier("vig_xl")
    with pytest.raises(ValueError, match="there is no model 'os.system'"):
        ImageClassifier("os.system")
    with pytest.raises(ValueError, match="has 4 classes, but the data 2"):
        ImageClassifier("vig_ti", num_classes=4).build(["a", "b"])


STUDENT = {"channels": (8, 12), "blocks": ((1, 1), (1, 1)), "steps": (2, 1), "embed_channels": 16}
TEACHER = {"channels": (8, 12), "blocks": ((1, 0), (1, 1)), "steps": (0, 2)}


def taught(tmp_path, **options):
    """A module whose teacher has weights of a file."""
    torch.manual_seed(0)
    teacher = MobileViG(**TEACHER, num_classes=3).eval()
    file = tmp_path / "teacher.pth"
    torch.save(teacher.state_dict(), file)
    module = ImageClassifier(
        "pyg_vision.nn.GreedyViG",
        options=STUDENT,
        teacher="pyg_vision.nn.MobileViG",
        teacher_options=TEACHER,
        teacher_checkpoint=str(file),
        **options,
    )
    return module, teacher


def test_a_student_learns_labels_and_what_a_teacher_says(tmp_path):
    module, teacher = taught(tmp_path, distillation_alpha=0.3, label_smoothing=0.1)
    module.build(["a", "b", "c"])
    images, labels = torch.rand(4, 3, 64, 64), torch.tensor([0, 1, 2, 0])
    loss, size = module.training_loss((images, labels, torch.arange(4)))
    own, dist = module.trained.forward_both(images)
    said = teacher(images).argmax(1)
    expected = 0.7 * F.cross_entropy(own, labels, label_smoothing=0.1)
    torch.testing.assert_close(loss, expected + 0.3 * F.cross_entropy(dist, said))
    assert size == 4
    loss.backward()
    assert all(p.grad is not None for p in module.trained.parameters())
    # The teacher is no part of checkpoints, nor trained.
    assert not any("teacher" in name for name in module.state_dict())
    assert sum(1 for _ in module.parameters()) == sum(1 for _ in module.trained.parameters())
    soft = F.one_hot(labels, 3).float()
    mixed, _ = module.training_loss((images, soft, torch.arange(4)))
    torch.testing.assert_close(mixed, loss.detach())


def test_a_teacher_of_timm_or_torchvision(tmp_path):
    torch.manual_seed(0)
    for name, model in (
        ("timm.resnet10t", timm.create_model("resnet10t", num_classes=3)),
        ("torchvision.models.resnet18", find_builder("torchvision.models.resnet18")(num_classes=3)),
    ):
        file = tmp_path / "teacher.pth"
        torch.save(model.state_dict(), file)
        teacher = make_teacher(name, None, str(file), 3)
        assert not teacher.training
        assert not any(p.requires_grad for p in teacher.parameters())
        x = torch.rand(2, 3, 64, 64)
        torch.testing.assert_close(teacher(x), model.eval()(x))


def test_wrong_teachers_are_named(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="'distillation_alpha' must be from 0 to 1"):
        taught(tmp_path, distillation_alpha=1.5)
    with pytest.raises(ValueError, match="are of a 'teacher'"):
        ImageClassifier("pyg_vision.nn.GreedyViG", teacher_checkpoint="teacher.pth")
    module, _ = taught(tmp_path)
    with pytest.raises(ValueError, match="one class of an image, not any number of labels"):
        module.build(["a", "b", "c"], multi_label=True)
    for model, options in (
        ("pyg_vision.nn.ViG", MODEL),
        ("pyg_vision.nn.GreedyViG", STUDENT | {"distilled": False}),
    ):
        module = ImageClassifier(
            model, options=options, teacher="vig_ti", teacher_options={"weights": "DEFAULT"}
        )
        with pytest.raises(ValueError, match="has no second classifier to learn from a teacher"):
            module.build(["a", "b", "c"])
    module = ImageClassifier("pyg_vision.nn.GreedyViG", options=STUDENT, teacher="vig_ti")
    with pytest.raises(ValueError, match="the teacher 'vig_ti' has no weights"):
        module.build(["a", "b", "c"])
    # As timm makes a model with its weights: of their classes.
    teacher = timm.create_model("resnet10t")
    monkeypatch.setattr(timm, "create_model", lambda name, pretrained: teacher)
    with pytest.raises(ValueError, match=r"tells 1000 classes, the data has 3"):
        make_teacher("timm.resnet10t", {"pretrained": True}, None, 3)
    module, _ = taught(tmp_path)
    module.build(["a", "b", "c"])
    module._teacher = (torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(48, 5)),)
    with pytest.raises(ValueError, match="the teacher tells 5 classes, the student 3"):
        module.training_loss((torch.rand(2, 3, 4, 4), torch.tensor([0, 1]), torch.arange(2)))
