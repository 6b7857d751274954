package caddyicalmail

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// acceptQuality is the highest quality, from 0 to 1, that a request's Accept
// header (RFC 9110, section 12.5.1) gives to a media type by name: application
// or text /json, /problem+json, /html, /xhtml+xml. Wildcards do not count,
// because they name nothing.
func acceptQuality(header http.Header, format string) float64 {
	var best float64
	for _, field := range header.Values("Accept") {
		for part := range strings.SplitSeq(field, ",") {
			mediaType, params, err := mime.ParseMediaType(part)
			if err != nil || !namesFormat(mediaType, format) {
				continue
			}
			best = max(best, quality(params))
		}
	}
	return best
}

func namesFormat(mediaType, format string) bool {
	_, subtype, ok := strings.Cut(mediaType, "/")
	if !ok {
		return false
	}
	if format == "html" {
		return subtype == "html" || subtype == "xhtml+xml"
	}
	return subtype == format || strings.HasSuffix(subtype, "+"+format)
}

func quality(params map[string]string) float64 {
	q, ok := params["q"]
	if !ok {
		return 1
	}
	value, err := strconv.ParseFloat(q, 64)
	if err != nil || value < 0 || value > 1 {
		return 0
	}
	return value
}
