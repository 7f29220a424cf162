// Pictures by their names, as `:smile:`.

const NAMES = `
smile 😄 smiley 😃 grin 😁 laughing 😆 joy 😂 rofl 🤣 sweat_smile 😅 wink 😉 blush 😊 slight_smile 🙂 upside_down 🙃 innocent 😇
heart_eyes 😍 kissing_heart 😘 yum 😋 stuck_out_tongue 😛 zany 🤪 nerd 🤓 sunglasses 😎 star_struck 🤩 partying 🥳 smirk 😏
unamused 😒 pensive 😔 confused 😕 worried 😟 frowning ☹️ cry 😢 sob 😭 angry 😠 rage 😡 scream 😱 flushed 😳 hot 🥵 cold 🥶
exploding_head 🤯 thinking 🤔 shushing 🤫 zipper_mouth 🤐 raised_eyebrow 🤨 neutral 😐 expressionless 😑 rolling_eyes 🙄
grimacing 😬 relieved 😌 sleepy 😪 sleeping 😴 mask 😷 sick 🤢 sneezing 🤧 dizzy 😵 hugs 🤗 salute 🫡 melting 🫠 clown 🤡 ghost 👻
skull 💀 alien 👽 robot 🤖 poop 💩 see_no_evil 🙈 hear_no_evil 🙉 speak_no_evil 🙊
thumbsup 👍 thumbsdown 👎 ok_hand 👌 clap 👏 wave 👋 raised_hands 🙌 pray 🙏 handshake 🤝 muscle 💪 point_up ☝️ point_down 👇
point_left 👈 point_right 👉 crossed_fingers 🤞 victory ✌️ metal 🤘 call_me 🤙 fist 👊 eyes 👀 brain 🧠 facepalm 🤦 shrug 🤷 writing ✍️
heart ❤️ orange_heart 🧡 yellow_heart 💛 green_heart 💚 blue_heart 💙 purple_heart 💜 black_heart 🖤 broken_heart 💔 sparkles ✨ star ⭐
fire 🔥 boom 💥 zap ⚡ hundred 💯 tada 🎉 balloon 🎈 gift 🎁 trophy 🏆 medal 🏅 rocket 🚀 sun ☀️ moon 🌙 rainbow 🌈 cloud ☁️ rain 🌧️
snow ❄️ umbrella ☔ earth 🌍 tree 🌲 flower 🌸 rose 🌹 cactus 🌵 mushroom 🍄 cat 🐱 dog 🐶 mouse 🐭 bear 🐻 fox 🦊 panda 🐼 frog 🐸
penguin 🐧 owl 🦉 bee 🐝 bug 🐛 butterfly 🦋 turtle 🐢 snake 🐍 whale 🐳 unicorn 🦄 duck 🦆
coffee ☕ tea 🍵 beer 🍺 wine 🍷 pizza 🍕 cake 🍰 cookie 🍪 apple 🍎 banana 🍌 bread 🍞 cheese 🧀 soup 🍲 popcorn 🍿
check ✅ x ❌ warning ⚠️ question ❓ exclamation ❗ stop 🛑 plus ➕ minus ➖ arrow_up ⬆️ arrow_down ⬇️ arrow_left ⬅️ arrow_right ➡️
bulb 💡 memo 📝 book 📖 books 📚 pencil ✏️ pin 📌 paperclip 📎 link 🔗 lock 🔒 key 🔑 bell 🔔 mute 🔕 mag 🔍 calendar 📅 clock 🕐
hourglass ⏳ phone 📱 computer 💻 email 📧 camera 📷 music 🎵 guitar 🎸 gear ⚙️ hammer 🔨 wrench 🔧 package 📦 house 🏠 car 🚗 bike 🚲
train 🚆 plane ✈️ ship 🚢 speech 💬 zzz 💤 money 💰 chart 📈 trash 🗑️ construction 🚧`;

const ALL = Array.from(NAMES.matchAll(/(\S+) (\S+)/g), ([, name, emoji]) => ({ name, emoji }));
const AT_MOST = 8;

/** Those whose name, or a word of it, begins like this: the nearest first. */
export function find(prefix) {
  const start = prefix.toLowerCase();
  const inside = ALL.filter(({ name }) => !name.startsWith(start) && name.includes(`_${start}`));
  const first = ALL.filter(({ name }) => name.startsWith(start)).sort((a, b) => Number(b.name === start) - Number(a.name === start));
  return [...first, ...inside].slice(0, AT_MOST);
}
