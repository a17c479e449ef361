import Hummingbird
import NIOHTTP2
