"""The Qwen's weights on their way into a browser: what comes, what is kept, what goes wrong."""

import hashlib
import re

import pytest
from playwright.sync_api import expect

from qwen_lab.endpoint.weights import weights as official
from qwen_lab.page import weights
from qwen_lab.words import LabError

from .conftest import PATIENCE
from .weights_host import (
    FILE,
    HASHES,
    KEPT,
    PATHS,
    PIECE,
    WHOLE,
    Host,
    half_way,
    press,
    quota,
    says,
    told,
)

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("knows_ranges", [True, False])
def test_it_comes_from_another_host_and_over_a_line_that_breaks(open_page, host, knows_ranges):
    with Host() as mirror:
        host.offer(f"{mirror.root}whole")
        mirror.breaks["/whole"], mirror.knows_ranges = [1_700_000], knows_ranges
        place = open_page()
        press(place, "do_fetch")
        half_way(place)
        mirror.go.set()
        says(place, "kept")
        assert place.page.evaluate(KEPT) == WHOLE
        (_, first), (_, second) = mirror.asked
        assert first is None and re.fullmatch(r"bytes=1\d{6}-", second)
        assert host.asked == []


def test_a_server_that_breaks_off_before_a_byte_is_told_of(open_page, host):
    place = open_page()
    host.breaks[PATHS[1]] = [0, 0]
    press(place, "do_fetch")
    says(place, "cut", held=True, host=f"127.0.0.1:{host.server_port}")
    press(place, "do_go_on")
    says(place, "kept")
    assert place.page.evaluate(KEPT) == WHOLE


def test_a_connection_that_brings_nothing_more_is_made_anew(open_page, host):
    kind, script = host.files["/qwen-weights.js"]
    host.files["/qwen-weights.js"] = kind, script.replace(b"PATIENCE = 30_000", b"PATIENCE = 300")
    host.waits[PATHS[1]] = 500_000
    place = open_page()
    press(place, "do_fetch")
    says(place, "kept")
    assert place.page.evaluate(KEPT) == WHOLE
    assert [path for path, _ in host.asked] == [PATHS[0], PATHS[1], *PATHS[1:]]


def test_a_server_that_refuses_is_told_of(open_page, host):
    place = open_page()
    host.status = 404
    press(place, "do_fetch")
    says(place, "refused", host=f"127.0.0.1:{host.server_port}", status=404)


def test_a_piece_that_is_wrong_once_is_asked_for_again(open_page, host):
    place = open_page()
    host.lies = [PATHS[1]]
    press(place, "do_fetch")
    says(place, "kept")
    assert place.page.evaluate(KEPT) == WHOLE
    assert [path for path, _ in host.asked] == [PATHS[0], PATHS[1], *PATHS[1:]]


def test_a_piece_that_is_wrong_twice_is_told_of_and_never_kept(open_page, host):
    place = open_page()
    host.lies = [PATHS[1]] * 2
    press(place, "do_fetch")
    says(place, "tampered", host=f"127.0.0.1:{host.server_port}")
    assert place.page.evaluate(KEPT) == {"model.gguf.partial": [PIECE, HASHES[0]]}


def test_a_piece_that_a_crash_cut_is_fetched_again(open_page, host):
    place = open_page()
    host.lies = [PATHS[2]] * 2
    press(place, "do_fetch")
    says(place, "tampered", host=f"127.0.0.1:{host.server_port}")
    place.page.evaluate("""async () => {
      const place = await (await navigator.storage.getDirectory()).getDirectoryHandle("qwen");
      const file = await place.getFileHandle("model.gguf.partial");
      const writer = await file.createWritable({keepExistingData: true});
      await writer.write({type: "write", position: 1_500_000, data: new Uint8Array(9)});
      await writer.close();
    }""")
    press(place, "do_go_on")
    says(place, "kept")
    assert place.page.evaluate(KEPT) == WHOLE


@pytest.mark.parametrize("private", [False, True])
def test_too_little_room_is_told_before_anything_is_fetched(open_page, host, chromium, private):
    place = open_page(chromium.new_context()) if private else open_page()
    quota(place, 1_000_000)
    press(place, "do_fetch")
    says(place, "full", need="3")
    assert host.asked == []
    if private:
        place.page.context.close()


def test_room_that_runs_out_on_the_way_is_told_and_what_is_there_stays(open_page, host, chromium):
    # A private window counts what is written; others set the room for all of it aside before.
    private = chromium.new_context()
    place = open_page(private)
    host.waits[PATHS[1]] = 500_000
    press(place, "do_fetch")
    half_way(place)
    quota(place, 1_200_000)
    host.go.set()
    says(place, "full", held=True, need="1")
    assert place.page.evaluate(KEPT)["model.gguf.partial"][0] >= PIECE
    quota(place, 100_000_000)
    press(place, "do_go_on")
    says(place, "kept")
    assert place.page.evaluate(KEPT) == WHOLE
    assert [path for path, _ in host.asked].count(PATHS[0]) == 1
    private.close()


def test_without_a_network_it_waits_and_goes_on_by_itself(open_page, host, browser):
    place = open_page()
    host.waits[PATHS[1]] = 500_000
    press(place, "do_fetch")
    half_way(place)
    browser.set_offline(True)
    says(place, "offline")
    browser.set_offline(False)
    says(place, "kept")
    assert place.page.evaluate(KEPT) == WHOLE


def test_the_sites_worker_keeps_no_piece_of_it(open_page, browser, host):
    page = open_page().page
    page.evaluate("navigator.serviceWorker.register('service-worker.js')")
    page.evaluate("navigator.serviceWorker.ready.then(() => 0)")
    page.close()
    place = open_page()
    assert place.page.evaluate("!!navigator.serviceWorker.controller")
    press(place, "do_fetch")
    says(place, "kept")
    with Host() as mirror:
        assert place.page.evaluate(f"fetch('{mirror.root}whole').then((found) => found.ok)")


def test_the_file_of_another_model_does_not_go_into_a_site(tmp_path):
    path = tmp_path / "other.gguf"
    path.write_bytes(FILE)
    with pytest.raises(LabError, match="isn't the official"):
        next(weights.pieces(path))


def test_only_an_address_of_the_web_is_taken():
    with pytest.raises(LabError, match="no address"):
        weights.files("my_site")


@pytest.mark.model
def test_the_pieces_on_the_list_are_those_of_the_official_file():
    whole, size, names = hashlib.sha256(), 0, []
    # Each is held against its own hash on the way.
    for name, piece in weights.pieces(official.fetch()):
        whole.update(piece)
        size += len(piece)
        names.append(name)
    assert (whole.hexdigest(), size) == (official.SHA256, official.SIZE)
    assert len({*names}) == len(names) == len(weights.TABLE["sha256"])


@pytest.mark.model
def test_the_qwen_itself_is_fetched_whole(open_page, host, request):
    if not request.config.getoption("--whole-page"):
        pytest.skip("--whole-page runs it")
    host.files["/qwen-weights.js"] = "text/javascript", weights.files("")["qwen-weights.js"]
    found = weights.pieces(official.fetch())
    host.weights = {f"/{name}": piece for name, piece in found}
    place = open_page()
    place.get_by_role("button", name=told("do_fetch", size="491")).click()
    expect(place.get_by_role("status")).to_have_text(told("kept", size="491"), timeout=PATIENCE)
    assert place.page.evaluate(KEPT) == {official.FILENAME: [official.SIZE, official.SHA256]}
