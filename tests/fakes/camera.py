"""What a camera sees: a film of one picture, or a canvas that a test draws on."""

import base64
import io

import segno
from PIL import Image

WIDTH, HEIGHT = 640, 480


def qr_png(text, scale=6):
    buffer = io.BytesIO()
    segno.make(text).save(buffer, kind="png", scale=scale, border=4)
    return buffer.getvalue()


def write_film(path, picture):
    """Write a film (YUV4MPEG2, 4:2:0) of a grey picture, for Chromium's fake camera."""
    scene = Image.new("L", (WIDTH, HEIGHT), 200)
    code = Image.open(io.BytesIO(picture)).convert("L")
    code.thumbnail((HEIGHT - 60, HEIGHT - 60))
    scene.paste(code.rotate(4, expand=True, fillcolor=255), (70, 30))  # nobody holds it straight
    frame = b"FRAME\n" + scene.tobytes() + bytes([128]) * (WIDTH * HEIGHT // 2)
    head = f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg\n".encode()
    path.write_bytes(head + frame * 10)
    return path


# Instead of a device: a canvas, on which `point_at` draws what the phone is held before.
_CANVAS = """
  const scene = Object.assign(document.createElement("canvas"), {width: 640, height: 480});
  scene.getContext("2d").fillRect(0, 0, 640, 480);
  navigator.mediaDevices.getUserMedia = async () => scene.captureStream(10);
  window.pointAt = async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (one) => one.charCodeAt(0));
    const picture = await createImageBitmap(new Blob([bytes]));
    const scale = Math.min(1, 460 / picture.height, 620 / picture.width);
    const pen = scene.getContext("2d");
    pen.fillStyle = "#ddd";
    pen.fillRect(0, 0, 640, 480);
    pen.drawImage(picture, 10, 10, picture.width * scale, picture.height * scale);
  };
"""


async def hold_camera(page):
    """Give a page (before it is opened) a camera that `point_at` turns to a picture."""
    await page.add_init_script(_CANVAS)


async def point_at(page, picture):
    """Hold the phone before a picture (PNG)."""
    await page.evaluate("(base64) => pointAt(base64)", base64.b64encode(picture).decode())
