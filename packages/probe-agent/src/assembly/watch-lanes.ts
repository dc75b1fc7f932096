import type { Lane } from '../identity/lane.js';
import type { Events } from '../reporting/events.js';

/** Tells what happens to children and devices. */
export function watchLanes(lanes: readonly Lane[], events: Events, onDeviceChange: (lane: Lane) => void): void {
  for (const lane of lanes) {
    const [first] = lane.devices;
    const device = lane.devices.length === 1 ? (first?.id ?? '') : '';
    lane.child.onEvent = (event) => events.childFailed(device, event);
    for (const tested of lane.devices) {
      tested.onChange = (detail) => {
        events.deviceChanged(tested.id, detail);
        onDeviceChange(lane);
      };
    }
  }
}
