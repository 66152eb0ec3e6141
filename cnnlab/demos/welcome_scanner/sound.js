// A reader's own sound: decoded and resampled by the browser, then the same log-mel as cnnlab.data.log_mel.
const RATE = 8000;
const BANDS = 20;
const FRAME = 160;
const LONGEST_SECONDS = 30;

const mel = (hertz) => 2595 * Math.log10(1 + hertz / 700);
const hertz = (value) => 700 * (10 ** (value / 2595) - 1);

function melFilters(bins, fine) {
  const edge = (i) => hertz(mel(60) + ((mel(3900) - mel(60)) * i) / (fine + 1));
  return Array.from({ length: fine }, (_, band) => {
    const [low, peak, high] = [edge(band), edge(band + 1), edge(band + 2)];
    return Float64Array.from({ length: bins }, (__, bin) => {
      const f = (bin * RATE) / (2 * (bins - 1));
      return Math.max(0, Math.min((f - low) / (peak - low), (high - f) / (high - peak)));
    });
  });
}

// (20, T) in C order: windows of 200 samples every 80, a 256-point spectrum, 40 mel bands, log(power + 0.001), the mean
// over 2 bands × 2 frames; then each band's mean over time is taken off and the rest halved.
function logMel(wave) {
  const [window, hop, size, fine] = [200, 80, 256, 2 * BANDS];
  const bins = size / 2 + 1;
  const margin = (window - hop) / 2;
  const frames = Math.floor(wave.length / FRAME);
  const hann = Float64Array.from({ length: window }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / (window - 1)));
  const cosine = Float64Array.from({ length: size }, (_, i) => Math.cos((2 * Math.PI * i) / size));
  const filters = melFilters(bins, fine);
  const used = frames * FRAME;
  const result = new Float64Array(BANDS * frames);
  const power = new Float64Array(bins);
  const piece = new Float64Array(window);
  for (let n = 0; n < 2 * frames; n += 1) {
    for (let i = 0; i < window; i += 1) {
      const place = n * hop + i - margin;
      piece[i] = place >= 0 && place < used ? wave[place] * hann[i] : 0;
    }
    for (let bin = 0; bin < bins; bin += 1) {
      let [real, imaginary] = [0, 0];
      for (let i = 0, turn = 0; i < window; i += 1, turn = (turn + bin) % size) {
        real += piece[i] * cosine[turn];
        imaginary += piece[i] * cosine[(turn + size / 4) % size];
      }
      power[bin] = real * real + imaginary * imaginary;
    }
    filters.forEach((filter, band) => {
      let sum = 1e-3;
      for (let bin = 0; bin < bins; bin += 1) sum += filter[bin] * power[bin];
      result[(band >> 1) * frames + (n >> 1)] += Math.log(sum) / 4;
    });
  }
  for (let band = 0; band < BANDS; band += 1) {
    const row = result.subarray(band * frames, (band + 1) * frames);
    const mean = row.reduce((sum, value) => sum + value, 0) / frames;
    for (let t = 0; t < frames; t += 1) row[t] = (row[t] - mean) / 2;
  }
  return { values: Float32Array.from(result), frames };
}

// One channel at 8 kHz, cut to what the demo can show; throws an Error whose message is meant for the reader.
async function readSound(file) {
  let decoded;
  try {
    decoded = await new OfflineAudioContext(1, 1, RATE).decodeAudioData(await file.arrayBuffer());
  } catch {
    throw new Error(`“${file.name}” could not be decoded as sound: save it as an uncompressed (PCM) WAV and try again.`);
  }
  const length = Math.min(decoded.length, LONGEST_SECONDS * RATE);
  const wave = new Float32Array(length);
  for (let c = 0; c < decoded.numberOfChannels; c += 1) {
    const channel = decoded.getChannelData(c);
    for (let i = 0; i < length; i += 1) wave[i] += channel[i] / decoded.numberOfChannels;
  }
  return { wave, cut: decoded.length > length };
}

// A WAV file in memory (16 bits, one channel), for an <audio> element to play.
function wavAddress(samples, rate) {
  const view = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const text = (place, letters) => [...letters].forEach((letter, i) => view.setUint8(place + i, letter.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 36 + 2 * samples.length, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, 2 * rate, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, 2 * samples.length, true);
  samples.forEach((sample, i) => view.setInt16(44 + 2 * i, sample, true));
  return URL.createObjectURL(new Blob([view.buffer], { type: "audio/wav" }));
}

// Full scale is kept: only what would clip is turned down.
function toInt16(wave) {
  const peak = wave.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  return Int16Array.from(wave, (value) => Math.round((value / peak) * 32767));
}
