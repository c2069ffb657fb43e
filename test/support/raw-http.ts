import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** Sends bytes as they are, and gives the status line's code and all that came back once the server has closed. */
export async function rawHttp(url: string, ...parts: string[]): Promise<{ status: number; text: string }> {
  const socket = await openSocket(url);
  const answer = everything(socket);
  for (const part of parts) socket.write(part);
  const text = await answer;
  return { status: Number(text.split(" ", 2)[1] ?? 0), text };
}

export async function openSocket(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, "connect");
  return socket;
}

async function everything(socket: Socket): Promise<string> {
  let text = "";
  socket.on("data", (chunk) => {
    text += String(chunk);
  });
  socket.on("error", () => {});
  await once(socket, "close");
  return text;
}
