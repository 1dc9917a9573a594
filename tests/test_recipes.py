import pytest
import yaml

from pyg_vision.cli import main
from pyg_vision.nn import find_builder
from pyg_vision.recipes import Recipe, list_recipes, recipe_path
from pyg_vision.training.command import make_parser

PUBLISHED = [
    "vig_ti_imagenet1k", "vig_s_imagenet1k", "vig_b_imagenet1k", "vig_s_imagenette",
    "stgcn_kinetics", "stgcn_ntu_xsub", "stgcn_ntu_xview", "stgcn_nw_ucla_joint",
    "stgcn_nw_ucla_bone", "stgcn_ntu_pyskl", "digits", "synthetic_motion", "image_folder",
    "image_table", "skeleton_folder", "vig_imagenette_small", "cifar10",
    "stgcnpp_ntu_pyskl", "aagcn_ntu_pyskl", "ctrgcn_ntu_pyskl", "msg3d_ntu_pyskl",
    "dgstgcn_ntu_pyskl", "agcn_ntu", "ctrgcn_ntu", "msg3d_ntu", "stgcnpp_nw_ucla", "agcn_nw_ucla",
    "aagcn_nw_ucla", "ctrgcn_nw_ucla", "msg3d_nw_ucla", "dgstgcn_nw_ucla",
    "mobilevig_imagenet1k", "mobilevigv2_imagenet1k", "greedyvig_imagenet1k",
    "adaptvig_imagenet1k", "wignet_imagenet1k",
]  # fmt: skip


def config(name):
    return yaml.safe_load(recipe_path(name).read_text())


def test_all_recipes_are_there():
    assert set(PUBLISHED) <= set(list_recipes())


@pytest.mark.parametrize("name", list_recipes())
def test_recipes_are_read_and_their_models_made(name):
    root = [] if name in ("digits", "synthetic_motion") else ["--data.root=unused"]
    root += ["--data.table=unused"] if name == "image_table" else []
    values = make_parser("fit").parse_args(["--config", str(recipe_path(name)), *root])
    made = make_parser("fit").instantiate(values)
    schedule = made.model.make_schedule(values.trainer.max_epochs)
    assert 0.0 <= schedule(values.trainer.max_epochs) < 1.0
    build = find_builder(made.model.hparams["model"])
    told = {"in_channels": 3, "layout": "coco"} if name == "skeleton_folder" else {}  # by the data
    assert build(num_classes=10, **told, **(made.model.hparams["options"] or {})) is not None
    recipe = Recipe.read(name)
    assert recipe.about.endswith(".")
    assert recipe.published
    assert recipe.ours


@pytest.mark.parametrize("size", ["ti", "s", "b"])
def test_vig_on_imagenet_is_as_published(size):
    given = config(f"vig_{size}_imagenet1k")
    model, data = given["model"]["init_args"], given["data"]["init_args"]
    assert (model["lr"], model["lr_batch"], model["weight_decay"]) == (2e-3, 1024, 0.05)
    assert (model["warm_up"], model["warm_up_lr"], model["timm_schedule"]) == (20, 1e-6, True)
    assert (model["mixup"], model["cutmix"], model["label_smoothing"]) == (0.8, 1.0, 0.1)
    assert model["ema"] == 0.99996
    assert (data["rand_augment"], data["erasing"]) == ("m9-mstd0.5-inc1", 0.25)
    assert (data["repeats"], data["crop"], data["mean"]) == (3, 0.9, [0.5] * 3)
    assert given["trainer"]["max_epochs"] == 300


def test_stgcn_is_as_published():
    for name, epochs, milestones, batch in (
        ("stgcn_kinetics", 50, [20, 30, 40, 50], 256),
        ("stgcn_ntu_xsub", 80, [10, 50], 64),
        ("stgcn_ntu_xview", 80, [10, 50], 64),
    ):
        given = config(name)
        model = given["model"]["init_args"]
        assert (model["optimizer"], model["lr"], model["weight_decay"]) == ("sgd", 0.1, 1e-4)
        assert (model["milestones"], given["trainer"]["max_epochs"]) == (milestones, epochs)
        assert given["data"]["init_args"]["batch_size"] == batch


@pytest.mark.parametrize("family", ["stgcnpp", "aagcn", "ctrgcn", "msg3d", "dgstgcn"])
def test_families_of_pyskl_are_as_published(family):
    given = config(f"{family}_ntu_pyskl")
    model, data = given["model"]["init_args"], given["data"]["init_args"]
    assert (model["lr"], model["weight_decay"], model["schedule"]) == (0.1, 5e-4, "cosine")
    long = family == "dgstgcn"
    assert model["lr_batch"] == (64 if long else 128)
    assert given["trainer"]["max_epochs"] == (150 if long else 80)
    assert data["batch_size"] == 16
    clips = data["test_transforms"][-1]["UniformSampleFrames"]
    assert (clips["num_frames"], clips["num_clips"], clips["seed"]) == (100, 10, 255)
    rotated = any("RandomRotateSkeleton" in step for step in data["train_transforms"])
    assert rotated == long
    assert data["test_transforms"][0]["AlignSkeleton"] == ({"spine": False} if long else {})


@pytest.mark.parametrize(
    ("name", "lr", "decay", "milestones", "epochs", "batch"),
    [
        ("agcn_ntu", 0.1, 1e-4, [30, 40], 50, 64),
        ("msg3d_ntu", 0.05, 5e-4, [30, 40], 50, 32),
        ("ctrgcn_ntu", 0.1, 4e-4, [35, 55], 65, 64),
    ],
)
def test_recipes_of_the_authors(name, lr, decay, milestones, epochs, batch):
    given = config(name)
    model, trainer = given["model"]["init_args"], given["trainer"]
    assert (model["lr"], model["weight_decay"], model["milestones"]) == (lr, decay, milestones)
    times = trainer.get("accumulate_grad_batches", 1)
    assert (trainer["max_epochs"], given["data"]["init_args"]["batch_size"] * times) == (
        epochs,
        batch,
    )


def test_the_list_and_a_recipe(capsys):
    assert main(["recipes"]) == 0
    listed = capsys.readouterr().out
    assert "vig_ti_imagenet1k" in listed
    assert "published: 73.9% top-1" in listed
    assert main(["recipes", "digits"]) == 0
    assert yaml.safe_load(capsys.readouterr().out) == config("digits")
    with pytest.raises(SystemExit):
        main(["recipes", "none"])
    assert "there is no recipe 'none'; they are" in capsys.readouterr().err


def test_paths_and_names(tmp_path):
    (tmp_path / "mine.yaml").write_text("seed: 1")
    assert recipe_path(str(tmp_path / "mine.yaml")).stem == "mine"
    with pytest.raises(ValueError, match="no recipe 'none' and no file"):
        recipe_path("none")
