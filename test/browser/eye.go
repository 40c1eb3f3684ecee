package browser

import (
	"bytes"
	"context"
	"fmt"
	"image/png"
	"os"
	"path/filepath"

	"github.com/chromedp/chromedp"
	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// Screenshot writes what a window shows to a PNG file.
func Screenshot(window context.Context, file string) error {
	picture, err := chromedp.Run(window, chromedp.CaptureScreenshot())
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, picture, 0o644)
}

// Scanned is the address in the QR code that a window shows, as a phone's camera reads it: from the pixels. The code is looked
// for on the whole screen first. The reader finds no corners in one code of a hundred, however sharp it is, so that the camera
// then goes near: where the code fills the picture, none needs to be looked for.
func Scanned(window context.Context) (string, error) {
	var last error
	for _, look := range []chromedp.Action[[]byte]{
		chromedp.CaptureScreenshot(), chromedp.ScreenshotScale("svg.qr", 1), chromedp.ScreenshotScale("svg.qr", 2),
	} {
		shot, err := chromedp.Run(window, look)
		if err != nil {
			return "", err
		}
		address, err := decode(shot)
		if err == nil {
			return address, nil
		}
		last = err
	}
	return "", fmt.Errorf("the code cannot be read from the screen: %w", last)
}

func decode(shot []byte) (string, error) {
	picture, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		return "", err
	}
	source := gozxing.NewLuminanceSourceFromImage(picture)
	var last error
	for _, binarizer := range []gozxing.Binarizer{gozxing.NewHybridBinarizer(source), gozxing.NewGlobalHistgramBinarizer(source)} {
		for _, hint := range []gozxing.DecodeHintType{gozxing.DecodeHintType_OTHER, gozxing.DecodeHintType_TRY_HARDER, gozxing.DecodeHintType_PURE_BARCODE} {
			bits, err := gozxing.NewBinaryBitmap(binarizer)
			if err != nil {
				return "", err
			}
			code, err := qrcode.NewQRCodeReader().Decode(bits, map[gozxing.DecodeHintType]any{hint: true})
			if err == nil {
				return code.GetText(), nil
			}
			last = err
		}
	}
	return "", last
}
