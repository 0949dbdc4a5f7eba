// Where pages are opened as files, browsers start no workers. The search asks for one: here it gets a hidden frame
// that runs the worker's script, so that nothing is fetched from outside.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(address) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.body.append(frame);
      const inside = frame.contentWindow;
      const message = data => new MessageEvent("message", { data });
      inside.postMessage = data => this.dispatchEvent(message(data));
      this.waiting = [];
      this.postMessage = data => this.waiting.push(data);
      const script = inside.document.createElement("script");
      script.src = address;
      script.onload = () => {
        this.postMessage = data => inside.dispatchEvent(message(data));
        this.waiting.forEach(this.postMessage);
      };
      inside.document.body.append(script);
    }
    terminate() {}
  };
}
