// Pictures of the homeserver. They are not for everybody, so the browser cannot
// get them by an address alone: they are fetched as the person who looks.

const shown = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);
const kept = new Map(); // token and mxc → promise of an address in this page

/** load gives an address of a picture for one person, or nothing if it is none that is shown. */
export function load(connection, mxc) {
  const key = `${connection.token} ${mxc}`;
  if (!kept.has(key)) {
    kept.set(key, connection.download(mxc).then((blob) => (shown.has(blob.type.split(";")[0]) ? URL.createObjectURL(blob) : "")));
    kept.get(key).catch(() => kept.delete(key));
  }
  return kept.get(key);
}

/** save lets somebody keep a file. */
export async function save(connection, mxc, name) {
  const address = URL.createObjectURL(await connection.download(mxc));
  Object.assign(document.createElement("a"), { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
}

/** send uploads a file and gives the content of the message that shows it. */
export async function send(connection, file) {
  const url = await connection.upload(file);
  const info = { mimetype: file.type, size: file.size };
  if (!shown.has(file.type)) return { msgtype: "m.file", body: file.name, url, info };
  const image = await createImageBitmap(file);
  Object.assign(info, { w: image.width, h: image.height });
  image.close();
  return { msgtype: "m.image", body: file.name, url, info };
}
