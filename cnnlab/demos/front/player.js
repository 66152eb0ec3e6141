// Time that runs: with the sound where there is one (the <audio> element's own clock, so picture and sound cannot
// drift apart, and its own pitch correction at other speeds), otherwise with the page's clock.
class Player {
  constructor({ onTick, onState }) {
    Object.assign(this, { onTick, onState, audio: null, url: null, silent: true });
    Object.assign(this, { duration: 0, at: 0, rate: 1, playing: false });
  }

  load(url, duration) {
    this.pause();
    if (this.url) URL.revokeObjectURL(this.url);
    Object.assign(this, { url, duration, at: 0, silent: !url, audio: url ? new Audio(url) : null });
  }

  get time() {
    if (!this.playing) return this.at;
    if (!this.silent) return Math.max(this.from, this.audio.currentTime);
    return this.from + ((performance.now() - this.began) / 1000) * this.rate;
  }

  seek(time) {
    this.pause();
    this.at = Math.min(Math.max(time, 0), this.duration);
  }

  speed(rate) {
    const again = this.playing;
    if (again) this.pause();
    this.rate = rate;
    if (again) this.play();
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  play() {
    if (this.playing) return;
    if (this.at >= this.duration - 1e-6) this.at = 0;
    Object.assign(this, { from: this.at, began: performance.now(), playing: true });
    if (!this.silent) {
      this.audio.currentTime = this.at;
      this.audio.playbackRate = this.rate;
      this.audio.play().catch((error) => {
        if (error.name === "AbortError") return; // paused before it began
        this.began = performance.now();
        this.silent = true; // a browser that refuses sound must not stop the picture
        this.onState(this.playing);
      });
    }
    this.onState(true);
    const frame = () => {
      if (!this.playing) return;
      const time = this.time;
      if (time >= this.duration || (!this.silent && this.audio.ended)) {
        this.pause();
        this.at = this.duration;
        this.onTick(this.at);
        return;
      }
      this.onTick(time);
      this.next = requestAnimationFrame(frame);
    };
    this.next = requestAnimationFrame(frame);
  }

  pause() {
    if (!this.playing) return;
    this.at = Math.min(this.time, this.duration);
    this.playing = false;
    cancelAnimationFrame(this.next);
    if (this.audio) this.audio.pause();
    this.onState(false);
  }

  destroy() {
    this.pause();
    if (this.url) URL.revokeObjectURL(this.url);
  }
}
