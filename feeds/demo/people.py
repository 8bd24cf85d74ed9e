"""The demo's people: who they are, what they like, and how they look."""

import io
from dataclasses import dataclass

from PIL import Image, ImageDraw

DEMO_HANDLE = "demo"
DEMO_EMAIL = "demo@example.com"
DEMO_FRIENDS = ("leo", "noor", "amara")
DEMO_PASSWORD = "loop-the-loop"  # noqa: S105 (printed for everybody; the demo's only)


@dataclass(frozen=True)
class Person:
    """Somebody who likes some themes; colors are those of the picture."""

    handle: str
    name: str
    bio: str
    likes: tuple[str, ...]
    colors: tuple[str, str]

    @property
    def email(self) -> str:
        """The address, in the domain kept for examples."""
        return f"{self.handle}@example.com"


PEOPLE = [
    Person(DEMO_HANDLE, "Demo", "Trying things out.", ("geometry", "space"), ("#ff2d63", "#ff8d3a")),
    Person("marina", "Marina Costa", "Sea, salt, slow mornings. Lisboa.", ("ocean", "nature"),
           ("#0077b6", "#90e0ef")),
    Person("kenji", "Kenji Watanabe", "Cassettes and neon. 大阪", ("retro", "city"),
           ("#7209b7", "#f72585")),
    Person("noor", "Noor Haddad", "Telescope on the roof, tea below.", ("space",),
           ("#240046", "#9d4edd")),
    Person("leo", "Leo Martín", "Rulers and compasses.", ("geometry", "retro"),
           ("#e76f51", "#f4a261")),
    Person("hana", "Hana Kim", "Four seasons, one window.", ("nature", "ocean"),
           ("#ffafcc", "#cdb4db")),
    Person("zoe", "Zoë Okafor", "Night buses of Lagos and London.", ("city", "retro"),
           ("#14213d", "#fca311")),
    Person("bjorn", "Bjørn Lund", "Out there is fine.", ("nature", "space"),
           ("#1b4332", "#74c69d")),
    Person("pixelpia", "Pia Pixel", "16 × 16 is enough.", ("retro", "geometry"),
           ("#3a0ca3", "#4cc9f0")),
    Person("kai", "Kai Kealoha", "Free diver. Mostly upside down.", ("ocean",),
           ("#023e8a", "#48cae4")),
    Person("sunny", "Sunny Rao", "Paper, scissors, sun.", ("ocean", "geometry"),
           ("#ffb703", "#fb8500")),
    Person("tomas", "Tomáš Novák", "Physics teacher, still curious.", ("space", "geometry"),
           ("#006d77", "#83c5be")),
    Person("amara", "Amara Diallo", "Drums first.", ("geometry", "nature", "city"),
           ("#9b2226", "#ee9b00")),
]  # fmt: skip
PERSON_BY_HANDLE = {person.handle: person for person in PEOPLE}

REMARKS = {
    "ocean": [
        "I can almost smell the salt", "The light! 😍", "Taking a deep breath", "Blue forever",
        "Que saudade do mar 🌊", "This is my new screensaver", "How calm is that",
        "I have watched this five times now", "Sound on. Trust me.", "Vitamin sea",
    ],
    "city": [
        "I know this feeling", "City lights never get old", "Soundtrack please?", "So calm",
        "Which city is it?", "3 a.m. and wide awake, so here I am", "Somebody still works 😅",
        "I used to take that way every day", "Put this on my wall", "The mood ✨",
    ],
    "geometry": [
        "How does it loop so well?", "Hypnotized 🌀", "Math is beautiful", "Watched it 10×",
        "I cannot find the seam", "My brain thanks you", "Oddly satisfying",
        "Show this in every school", "Would love a slow version", "¡Qué maravilla!",
    ],
    "nature": [
        "I want to be there", "So peaceful 🌿", "Where is this?", "My whole week in a clip",
        "きれい…", "Sending this to my mother", "I can hear the silence", "Packing my bag",
        "Nature always wins", "Needed this today, thank you",
    ],
    "space": [
        "We are so small ✨", "Goosebumps", "More of this please", "Space is the best place",
        "My daughter asks if anybody lives there", "Look up more often", "Physics > fiction",
        "That glow 🤩", "The music fits perfectly", "I would go tomorrow",
    ],
    "retro": [
        "1986 called, it is jealous", "Instant nostalgia", "The palette 👌", "Pixels forever",
        "I can smell the arcade", "Runs in 64 KB, I am sure", "Take my coins",
        "Better than most new games", "I had this on a floppy", "Cartridge when?",
    ],
}  # fmt: skip
ANSWERS = [
    "Thank you! 💛", "Made my day", "More soon!", "It took a while 😄", "Right? I could not stop",
    "You are too kind", "Any wishes for the next one?", "Glad that it helps", "🙏✨",
]  # fmt: skip


def portrait(person: Person) -> io.BytesIO:
    """Draw a round-shouldered figure on a gradient of the person's colors, as PNG, 512×512."""
    side = 512
    top, bottom = (Image.new("RGB", (side, side), code) for code in person.colors)
    picture = Image.composite(bottom, top, Image.linear_gradient("L").resize((side, side)))
    draw = ImageDraw.Draw(picture, "RGBA")
    tilt = sum(person.handle.encode()) % 60 - 30
    light, soft = (255, 255, 255, 235), (255, 255, 255, 60)
    draw.ellipse((300 + tilt, -60, 620 + tilt, 260), fill=soft)
    draw.ellipse((86, 316, 426, 720), fill=light)
    draw.ellipse((156, 116, 356, 316), fill=light)
    eyes = tuple(int(person.colors[0][i : i + 2], 16) for i in (1, 3, 5))
    for x in (218 + tilt // 4, 294 + tilt // 4):
        draw.ellipse((x - 13, 196, x + 13, 226), fill=(*eyes, 255))
    draw.arc((218 + tilt // 4, 214, 294 + tilt // 4, 272), 20, 160, fill=(*eyes, 255), width=9)
    file = io.BytesIO()
    picture.save(file, "PNG")
    file.seek(0)
    return file
