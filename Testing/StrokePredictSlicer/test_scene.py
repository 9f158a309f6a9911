"""A study goes into a scene, into a .mrb file and back; everything is compared with the study itself."""

import numpy as np
import pytest
from support.studies import GRIDS, make_study

slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")

import vtk  # noqa: E402
from vtk.util import numpy_support  # noqa: E402

from StrokePredictLib.segments import SEGMENTS, TERMINOLOGY_FILE  # noqa: E402
from StrokePredictSlicer.core import close_scene, logic_of  # noqa: E402
from StrokePredictSlicer.scene import build_scene, open_scene, save_scene  # noqa: E402

TOLERANCE_MM = 1e-4
#: What differs by design: storage nodes are made by saving, in Slicer's own order.
LAZY = ("StorageNode",)


def nodes(scene, class_name="vtkMRMLNode"):
    return [scene.GetNthNodeByClass(i, class_name) for i in range(scene.GetNumberOfNodesByClass(class_name))]


def names(scene):
    return sorted((n.GetClassName(), n.GetName()) for n in nodes(scene) if not n.GetClassName().endswith(LAZY))


def named(scene, class_name, name):
    (found,) = [node for node in nodes(scene, class_name) if node.GetName() == name]
    return found


def to_array(image):
    values = numpy_support.vtk_to_numpy(image.GetPointData().GetScalars())
    return values.reshape(image.GetDimensions()[::-1])


def matrix_of(thing, getter):
    matrix = vtk.vtkMatrix4x4()
    getattr(thing, getter)(matrix)
    return np.array([[matrix.GetElement(r, c) for c in range(4)] for r in range(4)])


def lps_corners(matrix_ras, shape):
    nz, ny, nx = shape
    index = np.array([(i, j, k, 1.0) for i in (0, nx - 1) for j in (0, ny - 1) for k in (0, nz - 1)])
    return (index @ matrix_ras.T)[:, :3] * [-1.0, -1.0, 1.0]


def segment_array(segmentation, key, shape):
    """A segment on the whole grid, with the matrix of that grid."""
    image = slicer.vtkOrientedImageData()
    assert segmentation.GetBinaryLabelmapRepresentation(key, image)
    x0, x1, y0, y1, z0, z1 = image.GetExtent()
    whole = np.zeros(shape, bool)
    whole[z0 : z1 + 1, y0 : y1 + 1, x0 : x1 + 1] = to_array(image) > 0
    return whole, matrix_of(image, "GetImageToWorldMatrix")


@pytest.fixture(scope="module", params=list(GRIDS))
def saved(request, tmp_path_factory):
    """Study, scene as built, scene as opened again."""
    study = make_study(request.param)
    path = tmp_path_factory.mktemp("scene") / "scene.mrb"
    built = build_scene(study)
    save_scene(built, path)
    opened = open_scene(path)
    yield study, built, opened
    close_scene(built)
    close_scene(opened)


def test_the_same_nodes_come_back(saved):
    study, built, opened = saved
    assert names(opened) == names(built)
    found = {name for kind, name in names(opened) if kind == "vtkMRMLScalarVolumeNode"}
    images = {"DWI b0", "DWI", "ADC", "CBF", "CBV", "MTT", "Tmax", "Probability (infarct-general)"}
    assert found == images
    assert len(found) == len(study.case.volumes) + len(study.probabilities)


def test_volumes_keep_every_voxel_and_their_place(saved):
    study, _, opened = saved
    for role, name in (("dwi", "DWI"), ("adc", "ADC"), ("tmax", "Tmax"), ("cbf", "CBF")):
        node = named(opened, "vtkMRMLScalarVolumeNode", name)
        volume = study.case.volumes[role]
        assert np.array_equal(to_array(node.GetImageData()), volume.array)
        corners = lps_corners(matrix_of(node, "GetIJKToRASMatrix"), volume.shape)
        assert np.abs(corners - volume.corners()).max() < TOLERANCE_MM


def test_segments_are_bit_equal_and_in_place(saved):
    study, _, opened = saved
    segmentation = named(opened, "vtkMRMLSegmentationNode", "Segmentation")
    keys = set(segmentation.GetSegmentation().GetSegmentIDs())
    assert keys == set(study.masks)
    for key, mask in study.masks.items():
        whole, matrix = segment_array(segmentation, key, mask.shape)
        assert np.array_equal(whole, mask.array)
        assert np.abs(lps_corners(matrix, mask.shape) - mask.corners()).max() < TOLERANCE_MM


def test_segments_carry_name_colour_and_codes(saved):
    _, _, opened = saved
    segmentation = named(opened, "vtkMRMLSegmentationNode", "Segmentation").GetSegmentation()
    terminologies = logic_of(opened, "terminologies")
    for key in segmentation.GetSegmentIDs():
        segment, expected = segmentation.GetSegment(key), SEGMENTS[key]
        assert segment.GetName() == expected.name
        assert np.allclose(segment.GetColor(), expected.colour, atol=1 / 255)
        text = vtk.reference("")
        assert segment.GetTag(slicer.vtkSegment.GetTerminologyEntryTagName(), text)
        entry = slicer.vtkSlicerTerminologyEntry()
        assert terminologies.DeserializeTerminologyEntry(str(text), entry)
        assert entry.GetTerminologyContextName() == "Stroke infarct"
        for code, parsed in (
            (expected.category, entry.GetCategoryObject()),
            (expected.type, entry.GetTypeObject()),
        ):
            triple = (parsed.GetCodingSchemeDesignator(), parsed.GetCodeValue(), parsed.GetCodeMeaning())
            assert triple == (code.scheme, code.value, code.meaning)


def test_the_reference_image_of_the_segmentation_is_on_its_grid(saved):
    study, _, opened = saved
    segmentation = named(opened, "vtkMRMLSegmentationNode", "Segmentation")
    reference = segmentation.GetNodeReference(segmentation.GetReferenceImageGeometryReferenceRole())
    corners = lps_corners(matrix_of(reference, "GetIJKToRASMatrix"), study.case.reference.shape)
    assert np.abs(corners - study.case.reference.corners()).max() < TOLERANCE_MM


def test_the_first_view_shows_dwi_with_tmax_through_the_lesion(saved):
    study, _, opened = saved
    (view,) = [n for n in nodes(opened, "vtkMRMLSliceCompositeNode") if n.GetLayoutName() == "Red"]
    assert opened.GetNodeByID(view.GetBackgroundVolumeID()).GetName() == "DWI"
    assert opened.GetNodeByID(view.GetForegroundVolumeID()).GetName() == "Tmax"
    assert 0 < view.GetForegroundOpacity() < 1
    plane = opened.GetNodeByID("vtkMRMLSliceNodeRed").GetSliceToRAS()
    plane = np.array([[plane.GetElement(r, c) for c in range(4)] for r in range(4)])
    # Seen from the feet: the view's right is the patient's left (−R), its top is anterior, it looks along S.
    assert np.all(np.diag(plane[:3, :3]) * [-1, 1, 1] > 0.9)
    core = study.masks["core_adc"]
    index = np.argwhere(core.array)[:, ::-1]
    ras = (index @ core.affine[:3, :3].T + core.affine[:3, 3]) * [-1, -1, 1]
    height = (ras - plane[:3, 3]) @ plane[:3, 2]
    through = np.abs(height) < 0.01
    best = max(np.unique(np.round(height, 3), return_counts=True)[1])
    assert np.count_nonzero(through) == best


def test_tmax_has_a_colour_table_from_0_to_12_s_and_a_legend(saved):
    _, _, opened = saved
    display = named(opened, "vtkMRMLScalarVolumeNode", "Tmax").GetDisplayNode()
    assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == (0.0, 12.0)
    assert display.GetColorNode().GetName() == "Tmax (0 to 12 s)"
    assert display.GetColorNode().GetNumberOfColors() == 256
    legends = [node.GetTitleText() for node in nodes(opened, "vtkMRMLColorLegendDisplayNode")]
    assert "Tmax [s]" in legends


def test_tables_hold_the_numbers(saved):
    study, _, opened = saved
    table = named(opened, "vtkMRMLTableNode", "Volumes").GetTable()
    rows = [[table.GetValue(r, c).ToString() for c in range(4)] for r in range(table.GetNumberOfRows())]
    core = f"{study.volumes['volumes_ml']['core_adc']:.1f}"
    assert ["Core (ADC < 620)", core, "mL", "17.5"] in rows
    table = named(opened, "vtkMRMLTableNode", "Mismatch and criteria").GetTable()
    rows = [[table.GetValue(r, c).ToString() for c in range(4)] for r in range(table.GetNumberOfRows())]
    assert ["DEFUSE 3", "6 to 16 h from onset", "unknown", "not assessable"] in rows
    assert ["DAWN", "NIHSS ≥ 10", "6", "not met"] in rows


def test_everything_lies_in_the_patients_folder_and_says_it_is_not_for_clinical_use(saved):
    study, _, opened = saved
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(opened)
    patient = hierarchy.GetItemChildWithName(hierarchy.GetSceneItemID(), study.case.patient)
    assert patient != hierarchy.GetInvalidItemID()
    shown = [*nodes(opened, "vtkMRMLScalarVolumeNode"), *nodes(opened, "vtkMRMLTableNode")]
    shown += [*nodes(opened, "vtkMRMLSegmentationNode"), *nodes(opened, "vtkMRMLTextNode")]
    for node in shown:
        assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node)) == patient
    text = named(opened, "vtkMRMLTextNode", "Not for clinical use").GetText()
    for sentence in ("haemorrhage is not excluded", "Simulated patient", "Demonstration weights", "Side: Left"):
        assert sentence in text


def test_two_builds_of_one_study_have_the_same_nodes_and_ids():
    first, second = build_scene(make_study()), build_scene(make_study())
    assert [n.GetID() for n in nodes(first)] == [n.GetID() for n in nodes(second)]
    assert names(first) == names(second)


def test_a_study_of_diffusion_alone_makes_a_scene(tmp_path):
    study = make_study("RAS", perfusion=False, prediction=False, truth=False)
    study.volumes = {}
    scene = build_scene(study)
    save_scene(scene, tmp_path / "scene.mrb")
    opened = open_scene(tmp_path / "scene.mrb")
    (view,) = [n for n in nodes(opened, "vtkMRMLSliceCompositeNode") if n.GetLayoutName() == "Red"]
    assert opened.GetNodeByID(view.GetBackgroundVolumeID()).GetName() == "DWI"
    assert not view.GetForegroundVolumeID()
    assert names(opened) == names(scene)


def test_slicer_reads_the_terminology_file():
    scene = build_scene(make_study(perfusion=False))
    logic = logic_of(scene, "terminologies")
    assert logic.LoadTerminologyFromFile(str(TERMINOLOGY_FILE)) == "Stroke infarct"
    assert logic.GetNumberOfCategoriesInTerminology("Stroke infarct") == 2
