import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import java.util.List;

/** MongoDB's protocol over memory, as MongoDB 5.0 to today's drivers, which refuse a wire version below 8. Its argument is the port on loopback. */
public final class Main {
	public static void main(String[] args) {
		MemoryBackend backend = new MemoryBackend();
		backend.version(new MongoVersion() {
			@Override
			public List<Integer> getVersionArray() {
				return List.of(5, 0, 0);
			}

			@Override
			public int getWireVersion() {
				return 13;
			}
		});
		new MongoServer(backend).bind("127.0.0.1", Integer.parseInt(args[0]));
	}
}
