// The extension: starts `mamc lsp`, and plays songs in a terminal.
const vscode = require('vscode');
const { LanguageClient, TransportKind } = require('vscode-languageclient/node');
const { playArguments } = require('./play');

let client;
let terminal;

function settings() {
  const all = vscode.workspace.getConfiguration('mam');
  return { path: all.get('path', 'mamc'), playArguments: all.get('playArguments', []) };
}

async function start() {
  const server = { command: settings().path, args: ['lsp'], transport: TransportKind.stdio };
  const selector = [{ language: 'mam', scheme: 'file' }, { language: 'mam', scheme: 'untitled' }];
  const watcher = vscode.workspace.createFileSystemWatcher('**/*.mam');
  const options = { documentSelector: selector, synchronize: { fileEvents: watcher } };
  client = new LanguageClient('mam', 'mam', { run: server, debug: server }, options);
  try {
    await client.start();
  } catch (error) {
    const words = `mamc could not be started (${error.message}). Install it, or set "mam.path".`;
    vscode.window.showErrorMessage(words);
  }
}

async function stop() {
  if (client && client.needsStop()) {
    await client.stop();
  }
}

/** Plays a song, from a bar where one is given. The terminal's program is mamc itself: no shell reads the file's name. */
async function play(uri, bar) {
  const editor = vscode.window.activeTextEditor;
  const target = uri ? vscode.Uri.parse(String(uri)) : editor && editor.document.uri;
  if (!target || target.scheme !== 'file') {
    vscode.window.showInformationMessage('Save the song first: what is played is a file.');
    return;
  }
  const document = await vscode.workspace.openTextDocument(target);
  await document.save();
  silence();
  const { path, playArguments: more } = settings();
  terminal = vscode.window.createTerminal({
    name: 'mamc play',
    shellPath: path,
    shellArgs: playArguments(target.fsPath, bar, more),
  });
  terminal.show(true);
}

function silence() {
  if (terminal) {
    terminal.dispose();
    terminal = undefined;
  }
}

exports.activate = async function (context) {
  const command = (name, run) => context.subscriptions.push(vscode.commands.registerCommand(name, run));
  command('mam.play', play);
  command('mam.stop', silence);
  command('mam.restart', async () => {
    await stop();
    await start();
  });
  context.subscriptions.push(vscode.window.onDidCloseTerminal((closed) => {
    if (closed === terminal) {
      terminal = undefined;
    }
  }));
  await start();
};

exports.deactivate = async function () {
  silence();
  await stop();
};
