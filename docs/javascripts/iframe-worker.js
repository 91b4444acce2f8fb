// Browsers refuse workers to a page that was opened from a file: the search then runs in a hidden frame. (The theme asks for
// a script of this name and role elsewhere; nothing may be asked of another server.)
if (location.protocol === "file:") {
  window.Worker = window.IFrameWorker = function (address) {
    const frame = document.createElement("iframe");
    const loaded = new Promise((done) => { frame.onload = done; });
    const answer = "postMessage = (data) => frameElement.dispatchEvent(new parent.MessageEvent('message', { data }));";
    frame.hidden = true;
    frame.srcdoc = `<script>${answer}</script><script src="${address}"></script>`;
    frame.postMessage = (data) => loaded.then(() => frame.contentWindow.dispatchEvent(new MessageEvent("message", { data })));
    document.body.append(frame);
    return frame;
  };
}
