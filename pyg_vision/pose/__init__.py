r"""Skeleton sequences of videos: pictures in, joints of people out."""

from pyg_vision.pose.keypoint_rcnn import KeypointRCNN
from pyg_vision.pose.mediapipe_pose import MediaPipeHands, MediaPipePose
from pyg_vision.pose.pose_source import FoundPeople, PoseSource, estimate_pose
from pyg_vision.pose.sources import open_pose_source
from pyg_vision.pose.video import Frame, VideoError, VideoWriter, read_frames

__all__ = [
    "estimate_pose",
    "PoseSource",
    "FoundPeople",
    "MediaPipePose",
    "MediaPipeHands",
    "KeypointRCNN",
    "open_pose_source",
    "Frame",
    "read_frames",
    "VideoWriter",
    "VideoError",
]
