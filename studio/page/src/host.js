// Everything that is not the page: the compiler in a worker, the engine in a worklet.

export class WorkerHost {
  constructor({ figures, failed }) {
    this.on = { figures, failed };
    this.answers = new Map();
    this.next = 1;
    this.worker = new Worker('worker.js', { type: 'module' });
    this.module = new Promise((resolve, reject) => {
      this.worker.onmessage = ({ data: { id, answer, module, unloaded } }) => {
        if (module) return resolve(module);
        if (unloaded) return reject(new Error(unloaded));
        this.answers.get(id)?.(answer);
        this.answers.delete(id);
      };
    });
    this.module.catch(() => failed('the compiler and the engine could not be loaded'));
    this.playing = false;
    this.settings = new Map(); // What hands have set: a worklet that is replaced is given it again.
  }

  // Gives the compiler a file that songs may use; without bytes it is taken away.
  file(name, bytes) {
    this.worker.postMessage({ file: { name, bytes } });
  }

  // Asks the compiler. Of compilations only the newest is answered; the others say that they have been overtaken.
  ask(question) {
    const id = this.next++;
    this.worker.postMessage({ id, question });
    return new Promise(resolve => this.answers.set(id, resolve));
  }

  // Begins with the sound, within a gesture of the user's.
  async start(rate) {
    this.rate = rate;
    this.context?.close();
    const context = this.context = new AudioContext({ sampleRate: rate, latencyHint: 'interactive' });
    this.scope = new AnalyserNode(context, { fftSize: 4096, smoothingTimeConstant: 0.6 });
    this.scope.connect(context.destination);
    await context.audioWorklet.addModule('worklet.js');
    await this.worklet();
    await context.resume();
  }

  async worklet() {
    const module = await this.module;
    const node = this.node = new AudioWorkletNode(this.context, 'mam', {
      numberOfInputs: 0, outputChannelCount: [2], processorOptions: { module },
    });
    node.port.onmessage = ({ data }) => data.figures && this.on.figures(data.figures);
    // One that dies is replaced.
    node.onprocessorerror = () => {
      node.disconnect();
      this.on.failed('the engine failed and was started again');
      this.worklet();
    };
    node.connect(this.scope);
    const { port1, port2 } = new MessageChannel();
    node.port.postMessage({ port: port1, play: this.playing }, [port1]);
    this.worker.postMessage({ port: port2 }, [port2]);
    this.settings.forEach(message => node.port.postMessage(message));
  }

  play(playing) {
    this.playing = playing;
    this.node?.port.postMessage({ play: playing });
  }

  seek(seconds) {
    this.node?.port.postMessage({ seek: seconds });
  }

  set(name, value) {
    this.steer(`set ${name}`, { set: { name, value } });
  }

  gate(name, what) {
    this.steer(`gate ${name} ${what >> 1}`, { gate: { name, what } });
  }

  steer(key, message) {
    this.settings.set(key, message);
    this.node?.port.postMessage(message);
  }

  // Renders the song; the result is a Blob.
  async render(question, progress) {
    const answer = await this.ask({ ...question, ask: 'compile', exact: true });
    if (!answer.ok) throw new Error('the song has errors');
    const module = await this.module;
    const worker = new Worker('export.js', { type: 'module' });
    try {
      return await new Promise((resolve, reject) => {
        worker.onmessage = ({ data }) => {
          if (data.wav) resolve(data.wav);
          else if (data.failed) reject(new Error(data.failed));
          else progress(data.seconds);
        };
        worker.onerror = event => reject(new Error(event.message));
        worker.postMessage({ module, program: answer.program });
      });
    } finally {
      worker.terminate();
    }
  }
}
